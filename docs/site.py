"""Hooks of MkDocs: what the site needs beyond the Markdown that a repository's viewer shows."""

import glob
import re

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel

# What a page would load from elsewhere; a link that a reader follows is none of these.
LOADED = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc=["']?https?://|<link[^>]*\shref=["']?https?://""")


def on_files(files, config):
    """MkDocs takes index.md for a folder's first page. Here it is a command or a benchmark, and README.md comes first."""
    for path in sorted(glob.glob("**/index.md", root_dir=config.docs_dir, recursive=True)):
        page = path.removesuffix(".md") + "-page.html"
        files.append(File(path, config.docs_dir, config.site_dir, config.use_directory_urls, dest_uri=page,
                          inclusion=InclusionLevel.INCLUDED))
    return files


def on_page_markdown(markdown, **_):
    """Python-Markdown knows no fence of two words."""
    return re.sub(r"^```sh no-run$", "```sh", markdown, flags=re.M)


def on_post_page(output, page, **_):
    if found := LOADED.search(output):
        raise PluginError(f"{page.file.src_uri} would load something from elsewhere: {found[0]}")
    return output
