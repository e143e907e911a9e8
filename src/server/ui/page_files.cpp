#include "server/ui/page.h"

#ifdef PAGODA_PAGE_DIR

// Each file of the built page, as it lies in PAGODA_PAGE_DIR, between two symbols.
#define PAGODA_EMBED(name, file)                          \
  asm(".section .rodata\n"                                \
      ".balign 16\n"                                      \
      ".global page_" #name "_begin\n.global page_" #name \
      "_end\n"                                            \
      "page_" #name                                       \
      "_begin:\n"                                         \
      ".incbin \"" PAGODA_PAGE_DIR "/" file               \
      "\"\n"                                              \
      "page_" #name                                       \
      "_end:\n"                                           \
      ".byte 0\n"                                         \
      ".previous\n");                                     \
  extern "C" const char page_##name##_begin[], page_##name##_end[];

PAGODA_EMBED(html, "index.html")
PAGODA_EMBED(js, "page.js")
PAGODA_EMBED(css, "page.css")

namespace pagoda::server {

std::vector<BuiltFile> built_page() {
  return {{"/", "text/html; charset=utf-8", {page_html_begin, page_html_end}},
          {"/page.js", "text/javascript; charset=utf-8", {page_js_begin, page_js_end}},
          {"/page.css", "text/css; charset=utf-8", {page_css_begin, page_css_end}}};
}

}  // namespace pagoda::server

#else  // PAGODA_UI=OFF

namespace pagoda::server {

std::vector<BuiltFile> built_page() { return {}; }

}  // namespace pagoda::server

#endif
