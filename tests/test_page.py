"""The page of `pagoda serve --ui`, as a person uses it, in Chromium."""

import hashlib
import json
import re
import shutil
import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

chromium = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not chromium, reason="there is no chromium")
playwright = pytest.importorskip("playwright.sync_api")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        with driver.chromium.launch(executable_path=chromium, args=FLAGS) as running:
            yield running


class Look:
    """The page in a window of its own."""

    def __init__(self, browser, server, **options):
        self.server = server
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", **options})
        self.context.set_default_timeout(15000)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, query=""):
        self.page.goto(f"http://127.0.0.1:{self.server.port}/{query}")
        self.settle()

    def settle(self):
        self.page.wait_for_selector("body:not([aria-busy])")

    def until(self, condition):
        """The page's policy forbids Playwright's own way of waiting for an expression."""
        end = time.monotonic() + 15
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, condition
            self.page.wait_for_timeout(20)

    def query(self):
        return parse_qs(urlsplit(self.page.url).query, keep_blank_values=True)

    def listed(self, n=0):
        return self.page.eval_on_selector_all(f"#lists .list:nth-child({n + 1}) .candidate", "all => all.map(e => e.dataset.item)")

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector, most=40):
        for _ in range(most):
            if self.page.evaluate(f"document.activeElement?.matches({json.dumps(selector)})"):
                return
            self.press("Tab")
        pytest.fail(f"the Tab key does not come to {selector}")


@pytest.fixture
def look(browser):
    """look(server): opens a window; at the end nothing may have been complained of."""
    windows = []

    def start(server, **options):
        windows.append(Look(browser, server, **options))
        return windows[-1]

    yield start
    for window in windows:
        window.context.close()
        assert window.complaints == []


@pytest.fixture(scope="module")
def coarse(cli, model, tmp_path_factory):
    """The model with an index that looks into few lists, so that it misses items."""
    path = tmp_path_factory.mktemp("coarse") / "coarse.pagoda"
    shutil.copy(model, path)
    cli("index", path, "--kind", "partitioned", "--lists", 40, "--k", 20, "--recall", 0.5)
    return path


@pytest.fixture(scope="module")
def both(serve, coarse, second):
    with serve(coarse, "--ui", "--compare", second) as server:
        yield server


# ---- the journey ----

def test_a_first_visitor_sees_somebodys_candidates_at_once(look, both):
    window = look(both)
    window.open()
    user = window.query()["user"][0]
    answer = both.post("/v1/retrieve", {"user": user, "k": 20, "attributes": ["title"]})
    assert window.listed() == answer["items"] and len(answer["items"]) == 20
    assert window.texts("#lists .title") == [a["title"] for a in answer["attributes"]]
    assert [float(re.match(r"[-.\d]+", s)[0]) for s in window.texts("#lists .score")] == pytest.approx(answer["scores"], abs=6e-4)
    known = both.post("/v1/users:find", {"users": [user], "history": 200})
    titles = both.post("/v1/items:find", {"items": known["histories"][0][::-1], "attributes": ["title"]})["attributes"]
    assert window.texts(".history .title") == [t["title"] for t in titles], "the latest first"
    assert f"has seen {known['seen'][0]} items" in window.page.inner_text("#who")


def test_all_of_it_goes_by_keyboard(look, both):
    window = look(both)
    window.open()
    window.tab_to(".skip", 3)
    window.tab_to("#user")
    window.page.keyboard.type("u10")
    window.page.wait_for_selector("#user[aria-expanded=true]:not([aria-busy])")
    assert window.texts("#user-list [role=option] span:first-child")[0] == "u10", "who is named in full comes first"
    window.press("ArrowDown")
    active = window.page.get_attribute("#user", "aria-activedescendant")
    assert window.page.get_attribute(f"#{active}", "aria-selected") == "true"
    window.press("Enter")
    window.until("new URLSearchParams(location.search).get('user') === 'u10'")
    window.settle()
    first = window.listed()
    assert first == both.post("/v1/retrieve", {"user": "u10", "k": 20})["items"]

    # An item of the list goes into the history.
    window.tab_to("#lists .candidate")
    window.press("ArrowDown", "ArrowDown")
    assert window.page.evaluate("document.activeElement.dataset.item") == first[2]
    assert window.page.locator("#map .ring").get_attribute("visibility") == "visible", "the map shows where it lies"
    window.press("Enter")
    window.page.wait_for_selector(f"#lists:not(:has([data-item='{first[2]}']))")
    window.settle()
    assert window.query()["history"][-1] == first[2]
    assert window.listed() == both.post("/v1/retrieve", {"user": "u10", "history": window.query()["history"], "k": 20})["items"]

    # So does one that is searched for; another is taken out; fewer are asked for.
    title = both.post("/v1/items:find", {"items": ["i7"], "attributes": ["title"]})["attributes"][0]["title"]
    window.page.focus("#item")
    window.page.keyboard.type(title.lower()[:12])
    window.page.wait_for_selector("#item[aria-expanded=true]:not([aria-busy])")
    window.press(*["ArrowDown"] * (1 + window.texts("#item-list [role=option] .more").index("i7")))
    window.press("Enter")
    window.until("new URLSearchParams(location.search).getAll('history').at(-1) === 'i7'")
    window.settle()
    window.page.focus(".history .remove")
    window.press("Enter")
    window.until("new URLSearchParams(location.search).getAll('history').at(-1) !== 'i7'")
    window.page.focus("#k")
    window.press("Control+a")
    window.page.keyboard.type("7")
    window.press("Enter")
    window.until("document.querySelectorAll('#lists .candidate').length === 7")

    # The address holds all of it.
    shared, before = window.page.url, window.listed()
    other = look(both)
    other.page.goto(shared)
    other.settle()
    assert other.listed() == before
    window.page.go_back()
    window.until("document.querySelectorAll('#lists .candidate').length === 20")


def test_a_click_on_the_map_builds_a_history(look, both):
    window = look(both)
    window.open("?history=")
    assert window.texts(".history li") == ["Empty. Click items to put a history together."]
    spot = window.page.locator("#map circle.candidate").last
    window.page.mouse.move(*(spot.bounding_box()[side] + 4 for side in "xy"))
    window.page.wait_for_selector("#map .tip:not([hidden])")
    tip = window.page.inner_text("#map .tip")
    window.page.mouse.down()
    window.page.mouse.up()
    window.page.wait_for_selector(".history .remove")
    window.settle()
    assert window.texts(".history .title") == [tip]
    assert window.listed() == both.post("/v1/retrieve", {"history": window.query()["history"], "k": 20})["items"]


# ---- what is shown ----

def test_filters_are_added_switched_and_put_right(look, both):
    window = look(both)
    window.open("?user=u5")
    everything = window.listed()
    window.page.fill("#filter", "minuts < 100")
    window.page.press("#filter", "Enter")
    window.page.wait_for_selector("#filter[aria-invalid=true]")
    assert "did you mean 'minutes'?" in window.page.inner_text("#filter-error")
    assert window.listed() == everything, "a wrong filter takes nothing away"
    window.complaints.clear()  # the browser tells of the refusal
    window.page.fill("#filter", "minutes < 100")
    window.page.press("#filter", "Enter")
    window.page.wait_for_selector("#options .filters .chip")
    window.settle()
    expected = both.post("/v1/retrieve", {"user": "u5", "k": 20, "filter": "minutes < 100"})["items"]
    assert window.listed() == expected != everything
    # One that fits what is shown is offered.
    offered = window.page.locator(".suggested .chip").first
    name = offered.get_attribute("aria-label").removeprefix("Add the filter ")
    offered.click()
    window.until("document.querySelectorAll('#options .filters .chip').length === 2")
    window.settle()
    assert window.listed() == both.post("/v1/retrieve", {"user": "u5", "k": 20, "filter": f"(minutes < 100) and ({name})"})["items"]
    window.page.click("#options .filters .chip >> nth=0")
    window.page.wait_for_selector("#options .filters .chip[aria-pressed=false]")
    window.settle()
    assert window.listed() == both.post("/v1/retrieve", {"user": "u5", "k": 20, "filter": name})["items"]
    assert window.query()["filter-off"] == ["minutes < 100"]

    window.open("?user=u5&filter=minutes+%3C+0")
    assert window.texts("#lists .empty") == ["No item matches these filters."]
    window.open("?user=u5&filter=nonsense")
    assert "A filter is wrong" in window.page.inner_text("#trouble") and "nonsense" in window.page.inner_text("#filter-error")
    window.complaints.clear()
    window.page.click("#options .filters .chip")
    window.page.wait_for_selector("#lists .candidate")
    window.settle()
    assert window.page.inner_text("#trouble") == ""


def test_what_the_index_misses_is_marked(look, both):

    def lists(user):
        return [both.post("/v1/retrieve", {"user": user, "k": 20, "exact": exact})["items"] for exact in (False, True)]

    user = max((f"u{i}" for i in range(1, 120)), key=lambda u: len(set(lists(u)[1]) - set(lists(u)[0])))
    approximate, exact = lists(user)
    assert set(approximate) != set(exact), "nobody's list misses anything"
    window = look(both)
    window.open(f"?user={user}")
    window.page.click("label:has-text('exact search')")
    window.until("document.querySelectorAll('#lists .list').length === 2")
    window.settle()
    assert [window.listed(0), window.listed(1)] == [approximate, exact]
    only = [window.page.eval_on_selector_all(f"#lists .list:nth-child({n}) li.only .candidate", "all => all.map(e => e.dataset.item)") for n in (1, 2)]
    assert only == [[i for i in approximate if i not in exact], [i for i in exact if i not in approximate]]
    assert set(window.texts("#lists .list:nth-child(2) .mark.only")) == {"missed"}
    moved = {i: approximate.index(i) - at for at, i in enumerate(exact) if i in approximate}
    shown = dict(zip(exact, window.texts("#lists .list:nth-child(2) .mark")))
    assert {i: shown[i] for i in moved} == {i: "=" if m == 0 else f"{'▲' if m > 0 else '▼'} {abs(m)}" for i, m in moved.items()}
    assert window.page.inner_text("#status") == f"{len(moved)} of the top 20 were found"
    assert window.texts("#explain thead th") == ["partitioned index", "exact search"]


def test_two_models_stand_side_by_side(look, both):
    window = look(both)
    window.open("?user=u3&k=10&compare=model")
    answers = [both.post(path, {"user": "u3", "k": 10}) for path in ("/v1/retrieve", "/compare/v1/retrieve")]
    assert answers[0]["model"] != answers[1]["model"]
    assert [window.listed(0), window.listed(1)] == [a["items"] for a in answers]
    assert window.texts("#lists h3") == ["coarse", "second"]
    assert window.texts("#map figcaption") == ["coarse", "second"]
    common = len(set(answers[0]["items"]) & set(answers[1]["items"]))
    assert window.page.inner_text("#status") == f"{common} of 10 are in both lists"
    assert window.page.locator("#lists .list:nth-child(1) li.only").count() == 10 - common


def test_the_map_lights_user_history_and_candidates(look, both):
    window = look(both)
    window.open("?user=u2&k=15")
    history = both.post("/v1/users:find", {"users": ["u2"], "history": 200})["histories"][0]
    lit = {kind: window.page.eval_on_selector_all(f"#map circle.{kind}", "all => all.map(e => [e.dataset.item, +e.getAttribute('cx'), +e.getAttribute('cy')])")
           for kind in ("candidate", "seen")}
    assert sorted(i for i, *_ in lit["candidate"]) == sorted(window.listed())
    assert sorted(i for i, *_ in lit["seen"]) == sorted(set(history))
    assert window.page.locator("#map path.user").count() == 1

    # Points are projections, up to the picture's scale and place.
    plane = both.call("GET", "/v1/catalogue")[1]["map"]
    vectors = np.array(both.post("/v1/encode", {"items": [i for i, *_ in lit["candidate"]]})["vectors"])
    points = (vectors - np.array(plane["centre"])) @ np.array(plane["axes"]).T
    shown = np.array([[x, -y] for _, x, y in lit["candidate"]])
    spread = lambda p: p - p.mean(0)
    scale = np.linalg.norm(spread(shown)) / np.linalg.norm(spread(points))
    assert np.abs(spread(shown) - scale * spread(points)).max() < 0.2
    dots = window.page.evaluate("""() => { const c = document.querySelector('#map canvas');
        return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((x, i) => i % 4 === 3 && x > 0).length; }""")
    assert dots > 500, "the other items are there"


def test_popularity_and_explanation_are_those_of_the_answer(look, both):
    window = look(both)
    window.open("?user=u8")
    counts = both.post("/v1/items:find", {"items": window.listed()})["counts"]
    buckets = both.call("GET", "/v1/catalogue")[1]["popularity"]
    rows = window.page.eval_on_selector_all("#popularity tbody tr", "all => all.map(r => [...r.cells].map(c => c.innerText.trim()))")
    assert [r[0] for r in rows] == [b["bucket"] for b in buckets]
    share = [0.0] * len(buckets)
    for count in counts:
        share[next(b for b, bucket in enumerate(buckets) if count >= bucket["least_count"])] += 1 / len(counts)
    figure = lambda text: float(text.rstrip("%")) / 100
    assert [figure(r[1]) for r in rows] == pytest.approx(share, abs=6e-3)
    assert [figure(r[2]) for r in rows] == pytest.approx([b["items"] / 300 for b in buckets], abs=6e-3)
    total = sum(b["rows"] for b in buckets)
    assert [figure(r[3]) for r in rows] == pytest.approx([b["rows"] / total for b in buckets], abs=6e-3)

    said = both.post("/v1/retrieve", {"user": "u8", "k": 20, "explain": True})["explain"]
    table = dict(window.page.eval_on_selector_all("#explain tbody tr", "all => all.map(r => [...r.cells].map(c => c.innerText.trim()))"))
    assert table["Plan"] == said["plan"] and table["Matching items"] == "100%"
    for name, key in [("Lists probed", "lists_probed"), ("Vectors scored", "vectors_scored"), ("Vectors reranked", "vectors_reranked"),
                      ("Items boosted", "boosted")]:
        assert table[name] == str(said[key])
    assert all(re.fullmatch(r"\d+\.\d{3} ms", table[stage]) for stage in ("Queue", "Encode", "Filter", "Search"))


def test_colours_follow_the_system_until_the_button_is_pressed(look, both):

    def ground(window):
        return sum(map(int, re.findall(r"\d+", window.page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]))

    window = look(both, color_scheme="dark")
    window.open()
    assert ground(window) < 200
    window.page.emulate_media(color_scheme="light")
    window.until("document.documentElement.dataset.theme === 'light'")
    assert ground(window) > 600
    window.page.click("#theme")
    assert ground(window) < 200
    window.open()
    assert ground(window) < 200, "it is kept"


def test_on_a_telephone_nothing_sticks_out(look, both):
    window = look(both, viewport={"width": 400, "height": 800}, has_touch=True)
    window.open("?user=u3&compare=beside")
    assert window.page.evaluate("document.documentElement.scrollWidth") == 400
    assert window.page.locator("#lists .candidate").count() == 40


# ---- other servers ----

def test_a_key_is_asked_for_and_sent(look, serve, model, tmp_path):
    (tmp_path / "keys").write_text(f"{hashlib.sha256(b'open sesame').hexdigest()} read the page\n")
    with serve(model, "--ui", "--keys", tmp_path / "keys") as server:
        window = look(server)
        window.page.goto(f"http://127.0.0.1:{server.port}/")
        window.page.wait_for_selector("dialog[open]")
        window.page.keyboard.type("wrong")
        window.press("Enter")
        window.page.wait_for_selector("dialog[open] p:has-text('an API key is needed')")
        window.page.fill("#key-text", "open sesame")
        window.press("Enter")
        window.page.wait_for_selector("#lists .candidate")
        window.settle()
        assert all("401" in complaint for complaint in window.complaints), window.complaints
        window.complaints.clear()
        window.open()
        assert len(window.listed()) == 20, "the key is kept as long as the tab"
        assert window.page.locator("[name=comparison]:disabled").count() == 2, "an exact index alone has nothing to be compared with"


def test_bare_vectors_are_looked_through_by_their_items(look, serve, cli, tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32))
    cli("index", "--vectors", tmp_path / "v.npy", "-o", tmp_path / "bare.pagoda")
    with serve(tmp_path / "bare.pagoda", "--ui") as server:
        window = look(server)
        window.open()
        item = window.query()["history"][0]
        assert window.listed() == server.post("/v1/similar", {"item": item, "k": 20})["items"]
        assert window.page.locator("#user").count() == 0 and not window.page.is_visible("#popularity")


def test_a_server_that_is_gone_is_said_to_be(look, serve, model):
    with serve(model, "--ui") as server:
        window = look(server)
        window.open()
    window.page.fill("#k", "5")
    window.press("Enter")
    window.page.wait_for_selector("#trouble button")
    assert "does not answer" in window.page.inner_text("#trouble")
    window.complaints.clear()
