"""A bundle with any byte flipped or cut, of a newer version, or no bundle at all: said, and never used."""

import ctypes
import json
import random
import shutil
import struct
import subprocess

import pytest

PAGE = 4096
COMMANDS = {"inspect": [], "retrieve": ["--users", "-"], "index": [], "evaluate": []}


def checksum(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_64bits.restype = ctypes.c_uint64
    library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return library.XXH3_64bits(bytes(data), len(data))


def layout(data):
    """[(name, offset, size)] of the sections, and where the table lies; read from the format's grammar."""
    size, at, table_size, _ = struct.unpack_from("<QQQQ", data, 32)
    assert size == len(data)
    table = data[at:at + table_size]
    (count,), place, found = struct.unpack_from("<Q", table), 8, []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", table, place)
        name = table[place + 8:place + 8 + length].decode()
        offset, bytes_, _ = struct.unpack_from("<QQQ", table, place + 8 + length)
        place += 8 + length + 24
        found.append((name, offset, bytes_))
    return found, at


@pytest.fixture(scope="module", params=["model", "ensemble"])
def whole(request):
    """A bundle of one model, and one of several. Borrowed."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def bundle(whole, tmp_path_factory):
    path = tmp_path_factory.mktemp("damage") / "m.pagoda"
    shutil.copy(whole, path)
    return path


def test_any_byte_flipped_is_found_and_its_section_named(cli, whole, bundle):
    good = whole.read_bytes()
    sections, table = layout(good)
    assert {name for name, _, _ in sections} == {s["name"] for s in json.loads(cli("inspect", whole, "--json").stdout)["sections"]}
    chance = random.Random(1)
    for name, offset, size in sections:
        padded = -(-size // PAGE) * PAGE
        places = {offset + chance.randrange(max(1, size)), offset + max(0, padded - 1)}
        for at in places if padded else ():
            bad = bytearray(good)
            bad[at] ^= 1 << chance.randrange(8)
            bundle.write_bytes(bad)
            cli("inspect", bundle, code=1, says=["m.pagoda", "damaged", f"section '{name}'", "copy the file again"])
    for at in [0, 7, 8, 12, 20, 32, 40, 48, 56, 64, 2000, 4087, 4088, 4095, table, table + 9, table + 70, len(good) - 1]:
        bad = bytearray(good)
        bad[at] ^= 1 << chance.randrange(8)
        bundle.write_bytes(bad)
        cli("inspect", bundle, code=1, says="m.pagoda")
    assert cli("inspect", whole).stdout


def test_a_bundle_cut_anywhere_is_told(cli, whole, bundle):
    good = whole.read_bytes()
    sections, table = layout(good)
    places = [1, 7, 100, 4095, 4096, table, table + 1, len(good) - 1, len(good) - PAGE]
    places += [offset + size // 2 for _, offset, size in sections]
    for at in places:
        bundle.write_bytes(good[:at])
        cli("inspect", bundle, code=1, says="m.pagoda")
    bundle.write_bytes(good + b"\0")
    cli("inspect", bundle, code=1, says=["m.pagoda", "damaged"])
    bundle.write_bytes(b"")
    cli("inspect", bundle, code=1, says="m.pagoda")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_a_damaged_bundle_and_leaves_it(cli, whole, bundle, command):
    bad = bytearray(whole.read_bytes())
    bad[layout(bad)[0][-1][1] + 5] ^= 4
    bundle.write_bytes(bad)
    done = cli(command, bundle, *COMMANDS[command], stdin="u1\n", code=1, says=["damaged", "section 'item_vectors'"])
    assert done.stdout == "" and bundle.read_bytes() == bad


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_bundle_is_refused(cli, tmp_path, command):
    words = COMMANDS[command]
    cli(command, tmp_path / "m.pagoda", *words, stdin="u1\n", code=3, says=["m.pagoda", "no such file"])
    (tmp_path / "m.pagoda").write_text("user_id,item_id\n" * 1000)
    cli(command, tmp_path / "m.pagoda", *words, stdin="u1\n", code=1, says="m.pagoda")
    (tmp_path / "folder").mkdir()
    cli(command, tmp_path / "folder", *words, stdin="u1\n", code=3, says=["folder", "not a regular file"])


@pytest.mark.parametrize("field, at, known", [("file format", 8, 1), ("bundle", 12, 7)])
def test_a_newer_version_asks_for_a_newer_program(cli, whole, bundle, field, at, known):
    newer = bytearray(whole.read_bytes())
    struct.pack_into("<I", newer, at, 8)
    struct.pack_into("<Q", newer, PAGE - 8, checksum(newer[:PAGE - 8]))
    bundle.write_bytes(newer)
    cli("inspect", bundle, code=1, says=["m.pagoda", field, "version 8", f"up to {known}", "newer pagoda"])


def signed(data, name, change):
    """The bundle with a section's bytes changed in place and every checksum made right again."""
    data = bytearray(data)
    sections, table = layout(data)
    (offset, size), = [(o, s) for n, o, s in sections if n == name]
    padded = -(-size // PAGE) * PAGE
    change(data, offset, size)
    total = struct.unpack_from("<Q", data, 48)[0]
    place = table + 8
    for n, _, _ in sections:
        if n == name:
            struct.pack_into("<Q", data, place + 8 + len(n) + 16, checksum(data[offset:offset + padded]))
        place += 8 + len(n) + 24
    assert place - table == total
    struct.pack_into("<Q", data, 56, checksum(data[table:]))
    struct.pack_into("<Q", data, PAGE - 8, checksum(data[:PAGE - 8]))
    return data


@pytest.mark.parametrize("kind, section, bytes_, says, rebuild", [
    ("exact", "index", b"graph", "its index is of kind 'graph'", []),
    ("partitioned", "index/parameters", struct.pack("<I", 77), "a partitioned index of version 77", ["--kind", "partitioned"]),
])
def test_an_index_that_can_not_be_read_is_rebuilt_as_the_message_says(cli, whole, bundle, kind, section, bytes_, says, rebuild):
    def change(data, offset, _):
        data[offset:offset + len(bytes_)] = bytes_

    shutil.copy(whole, bundle)
    cli("index", bundle, "--kind", kind)
    bundle.write_bytes(signed(bundle.read_bytes(), section, change))
    done = cli("retrieve", bundle, "--users", "-", "--k", 5, stdin="u1\n", code=1, says=[says, f"rebuild it: pagoda index {bundle}"])
    assert done.stderr.rstrip().endswith(" ".join(["pagoda index", str(bundle), *rebuild]))
    cli("index", bundle, *rebuild, says="warning: " + str(bundle) + ": ")
    cli("retrieve", bundle, "--users", "-", "--k", 5, stdin="u1\n")
    assert not list(bundle.parent.glob("*without-index*"))


def test_sections_that_are_signed_but_senseless_never_crash(cli, whole, bundle):
    good = whole.read_bytes()
    bundle.write_bytes(signed(good, "info", lambda d, o, s: None))
    cli("inspect", bundle)
    chance = random.Random(2)
    for name, _, size in layout(good)[0]:
        for kind in (chance.choice(["ones", "zeros"]), "noise"):
            def change(data, offset, size, kind=kind):
                length = min(size, 64)
                if kind == "noise":
                    for _ in range(8):
                        data[offset + chance.randrange(size)] = chance.randrange(256)
                else:
                    data[offset:offset + length] = (b"\xff" if kind == "ones" else b"\0") * length
            if not size:
                continue
            bundle.write_bytes(signed(good, name, change))
            done = cli_any(cli, "retrieve", bundle, "--users", "-", "--k", "5", stdin="u1\nu2\n")
            assert done in (0, 1, 2), (name, kind)


def cli_any(cli, *words, stdin):
    """The exit status, whichever it is; a crash or a hang is none."""
    done = subprocess.run([cli.binary, *map(str, words)], input=stdin.encode(), capture_output=True, timeout=60)
    assert done.returncode >= 0 and b"terminate" not in done.stderr and b"Sanitizer" not in done.stderr, done.stderr
    return done.returncode
