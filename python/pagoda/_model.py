"""A trained model: candidates, vectors, figures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from . import _core, _html
from ._command import program
from ._errors import InputError, UsageError
from ._evaluation import Evaluation
from ._events import Events, pass_on
from ._frames import Tables, id_text, id_texts
from ._recommendations import Recommendations
from ._searcher import Searcher, Seen, options_of

_LIST_KEYS = ("history", "recent")


def _plain(value: Any) -> Any:
    """A value of a request as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


class Model(Searcher):
    """User tower, item tower and index, which belong together: one file.

    ``pagoda.train`` makes one, ``pagoda.load`` opens one. It is immutable; any number of threads may use it.

    Users may be given as an id or a list of ids, or as a list of dicts (or a frame) with the keys of a request: "user",
    "history" (takes the place of the known one), "recent" (added to it), "events" (a dict: items by kind of event),
    "context", "features", "time".
    """

    def __init__(self, path: str | os.PathLike, *, threads: int = 0, journal: bool = False, _tables: Tables | None = None,
                 _folder: Any = None, _loaded: Any = None):
        self.path = os.fspath(path)
        self._threads = threads
        self._tables = _tables
        self._folder = _folder  # a TemporaryDirectory, which ends with the last model in it
        self._seen = Seen(_loaded if _loaded is not None else _core.Loaded(self.path, threads, journal))
        pass_on()

    # ---- what it is

    @cached_property
    def _card(self) -> dict:
        return json.loads(self._loaded.card())

    @property
    def info(self) -> dict:
        """What it is and where it came from: "dim", "items", "users", "training_rows", "epochs", ..."""
        return dict(self._card["info"])

    @property
    def config(self) -> str:
        """Its config, complete, as TOML."""
        return self._card["config"]

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits: the same training, the same fingerprint."""
        return self._card["fingerprint"]

    @property
    def history(self) -> list[dict]:
        """The records of its training, a dict an epoch: "phase", "epoch", "loss", "validation", ..."""
        return [json.loads(line) for line in self._card["run_log"].splitlines()]

    @property
    def attributes(self) -> dict[str, str]:
        """Columns of the item table with their types: what a filter may name."""
        return dict(self._card["attributes"])

    def __repr__(self) -> str:
        i = self._card["info"]
        return (f"<pagoda.Model {self.fingerprint}: {i['users']} users, {len(self)} items, {i['dim']} dimensions, "
                f"{i['training_rows']} rows, index {self._card['index']}>")

    def _repr_html_(self) -> str:
        return _html.model(self)

    # ---- candidates

    def _requests(self, users: Any, history: Any = None, recent: Any = None, events: Any = None, context: Any = None,
                  features: Any = None, time: Any = None) -> tuple[list[str], bool, list[Any]]:
        """(ids or JSON, whether it is JSON, keys of the answers)"""
        if users is not None and isinstance(users, (str, int, np.integer, Mapping)):
            raise UsageError(f"users = {users!r}: give a list of users, also of one", "users")
        if hasattr(users, "__arrow_c_stream__") and hasattr(users, "columns"):
            users = _rows_of(users)
        told = {"history": history, "recent": recent, "events": events, "context": context, "features": features,
                "time": time}
        told = {name: value for name, value in told.items() if value is not None}
        rows = list(users) if users is not None else [None] * _length_of(told)
        if not told and not any(isinstance(r, Mapping) for r in rows) and all(r is not None for r in rows):
            keys = users.tolist() if isinstance(users, np.ndarray) else rows
            return id_texts(keys), False, keys
        requests, keys = [], []
        for n, row in enumerate(rows):
            request = {str(k): _plain(v) for k, v in row.items()} if isinstance(row, Mapping) else {}
            if not isinstance(row, Mapping) and row is not None:
                request["user"] = id_text(row)
            keys.append(row.get("user") if isinstance(row, Mapping) else row)
            if request.get("user") is not None:
                request["user"] = id_text(request["user"])
            for name, value in told.items():
                request[name] = _plain(_one_of(name, value, n, len(rows)))
            for name in _LIST_KEYS:
                if request.get(name) is not None:
                    request[name] = id_texts(request[name])
            if request.get("events") is not None:
                kinds = dict(request["events"])  # Arrow gives a map as a list of pairs
                request["events"] = {kind: id_texts(items) for kind, items in kinds.items() if items is not None}
            requests.append(json.dumps({k: v for k, v in request.items() if v is not None}))
        return requests, True, keys

    def recommend(self, users: Any = None, k: int = 1000, *, filter: str | None = None, exclude_seen: bool = True,
                  exclude: Iterable[Any] | None = None, history: Any = None, recent: Any = None, events: Any = None,
                  context: Any = None, features: Any = None, time: Any = None, min_score: float | None = None,
                  quota: tuple[str, int] | None = None, recall: float | None = None,
                  progress: bool | None = None) -> Recommendations:
        """The best k items for each user: ``ids, scores = model.recommend(["u7", "u9"], k=1000)``.

        Args:
            users: ids, or dicts or a frame (see the class). None with ``history``: strangers with these histories.
            k: length of the lists, at least 1.
            filter: over the attributes, ``"year >= 1990 and genre = 'drama'"``; it holds inside the search, so lists
                are full where there are items enough.
            exclude_seen: leave out what is in the history.
            exclude: ids that come back for nobody.
            history, recent, events, context, features, time: of the requests, one for each user, a list; events,
                context and features also as one dict for all.
            min_score: leave out items that score less.
            quota: ("author", 3): at most three items of one value of that attribute.
            recall: wanted of a partitioned index, up to 1, which is exact; None: what it was built for.

        Raises:
            UsageError: k below 1, a filter that does not parse. InputError: a context or feature that no tower reads.
        """
        requests, as_json, keys = self._requests(users, history, recent, events, context, features, time)
        options = options_of(k, filter, exclude_seen, exclude, min_score, quota, recall)
        with Events(progress=progress) as watched:
            lists = self._loaded.recommend(requests, as_json, options, watched)
        pass_on()
        return Recommendations(lists, self._catalogue, keys)

    def search(self, vectors: Any, k: int = 1000, *, filter: str | None = None, exclude: Iterable[Any] | None = None,
               min_score: float | None = None, quota: tuple[str, int] | None = None,
               recall: float | None = None) -> Recommendations:
        """The best k items for query vectors [n, dim]."""
        return self._search(vectors, options_of(k, filter, False, exclude, min_score, quota, recall))

    def explain(self, user: Any, item: Any, *, history: Any = None) -> list[tuple[Any, float]]:
        """Which items of the user's history speak for an item: (id, what the score would lose without it), the
        strongest first. Below zero: it speaks against.

        Each event is left out in turn, so it holds for every tower, and costs as many encodings as there are events."""
        events = list(history) if history is not None else list(self._loaded.history(id_text(user)))
        if not events:
            raise InputError(f"nothing is known of user '{user}': give a history", "history")
        if item not in self:
            raise InputError(f"item '{item}' is not in the catalogue", "item")
        histories = [events] + [events[:n] + events[n + 1:] for n in range(len(events))]
        requests, as_json, _ = self._requests([user] * len(histories), histories, None, None, None, None)
        vectors = self._loaded.user_vectors(requests, as_json)
        boosts = self._loaded.boosts_of(requests, as_json, id_text(item))[:, 0]
        pass_on()
        scores = vectors @ self._loaded.vectors_of([id_text(item)])[0] + boosts
        found = [(event, float(scores[0] - s)) for event, s in zip(events, scores[1:])]
        return sorted(found, key=lambda pair: -pair[1])

    # ---- vectors

    def user_vectors(self, users: Any = None, *, history: Any = None, recent: Any = None, events: Any = None,
                     context: Any = None, features: Any = None, time: Any = None) -> np.ndarray:
        """What the user tower makes of users, [n, dim] float32; arguments as for ``recommend``."""
        requests, as_json, _ = self._requests(users, history, recent, events, context, features, time)
        vectors = self._loaded.user_vectors(requests, as_json)
        pass_on()
        return vectors

    @property
    def item_vectors(self) -> np.ndarray:
        """[items, dim], in the order of ``item_ids``: the mapped file itself, which is not copied. Read only."""
        return self._loaded.item_vectors()

    @cached_property
    def item_ids(self) -> np.ndarray:
        """Of the catalogue, by row: int64, or objects (str)."""
        ids = self._loaded.item_ids()
        return ids if isinstance(ids, np.ndarray) else self._catalogue

    @cached_property
    def user_ids(self) -> np.ndarray:
        """Of the users that it knows: int64, or objects (str)."""
        ids = self._loaded.user_ids()
        return ids if isinstance(ids, np.ndarray) else np.asarray(ids, dtype=object)

    def encode_items(self, items: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """What the item tower makes of items, known or new, [n, dim]: dicts {"item": id, "attributes": {...}}."""
        return self._loaded.encode_items(_changes(items))

    # ---- elsewhere

    def export(self, path: str | os.PathLike, format: str) -> None:
        """Writes it in the form of another program, which ``path`` then names: a file, or a folder.

        Args:
            format: towers: "onnx", "triton". Vectors: "npy", "parquet", "safetensors", "faiss", "hnswlib", "usearch".
                Vectors and attributes in an engine: "milvus", "qdrant", "lancedb". See docs/export.md.

        Raises:
            UsageError: an unknown format; towers of an ensemble. FailedError: the library that writes it is missing.
        """
        from . import export

        export.write(self, path, format)

    def user_inputs(self, users: Any = None, *, history: Any = None, recent: Any = None, events: Any = None,
                    context: Any = None, features: Any = None, time: Any = None) -> dict[str, np.ndarray]:
        """The inputs of the exported user tower, by name; arguments as for ``recommend``."""
        requests, as_json, _ = self._requests(users, history, recent, events, context, features, time)
        return self._loaded.encoded_users(requests, as_json)

    def item_inputs(self, items: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
        """The inputs of the exported item tower, by name, of known or new items: as for ``encode_items``."""
        return self._loaded.encoded_items(_changes(items))

    def with_items(self, items: Sequence[Mapping[str, Any]]) -> Model:
        """The same model with items added, replaced or, with ``"deleted": True``, removed; this one stays as it is.
        Dicts {"item": id, "attributes": {...}}: a whole row of the item table."""
        changed = self._loaded.with_changes(_changes(items))
        pass_on()
        return Model(self.path, threads=self._threads, _tables=self._tables, _folder=self._folder, _loaded=changed)

    # ---- figures

    def evaluate(self, data: Any = None, *, k: int | Sequence[int] | None = None, repeats: str | None = None,
                 context: str | None = None, per_user: bool = False, baselines: bool = True,
                 progress: bool | None = None) -> Evaluation:
        """Exact ranking against the whole catalogue: recall, ndcg, hit rate, MRR, MAP, precision, coverage.

        Args:
            data: interactions that the model has not seen, a frame or a file with the log's columns. None: the test part
                of its own split. A model that has learnt from all rows is judged by its predecessor, which had not.
            k: lengths of the lists.
            repeats: "keep": what a user had before may be recommended, and counts.
            context: "request": the context of the row that is judged, in place of the user's last one.
            per_user: keep each user's figures in ``evaluation.users``.
            baselines: judge popularity and item-kNN beside the model, with intervals.
        """
        tables = Tables()
        if self._tables is not None:
            tables.memory |= self._tables.memory
        path = tables.add("test", data)
        ks = "" if k is None else ",".join(str(int(n)) for n in ([k] if isinstance(k, (int, np.integer)) else k))
        with Events(progress=progress) as events:
            figures, users = _core.evaluate(tables.memory, self.path, path, ks, repeats or "", context or "", [],
                                            baselines, per_user, events)
        return Evaluation(json.loads(figures), users)

    def report(self, path: str | os.PathLike = "report.html", *others: Model) -> None:
        """Writes one page with curves, figures, examples; with ``others`` beside it."""
        tables: dict[str, Any] = {}
        for model in (self, *others):
            if model._tables is not None:
                tables |= model._tables.memory
        with Events(progress=False) as events:
            _core.report(tables, [m.path for m in (self, *others)], os.fspath(path), events)

    # ---- life

    def partial_fit(self, clicks: Any, *, items: Any = None, users: Any = None,
                    settings: Mapping[str, Any] | None = None, output: str | os.PathLike | None = None,
                    callbacks: Iterable[Callable[[dict], Any]] = (), progress: bool | None = None) -> Model:
        """Goes on from the model with new rows of the log, and gives a new model; this one stays as it is.

        New users, items and values get rows of their own; what was there keeps its place, its vectors stay in one
        space. Nothing is held out, and each row is learnt as often as those before it.

        Args:
            clicks: the new rows alone, with the columns that the model was trained on.
            items, users: tables with a row an item or a user: new ones, and those whose columns have changed. Items
                that are not in them keep what is known of them.
            settings: keys of the config, over the model's; those that give the towers their shape must stay.
            output: where to write the bundle; otherwise it is temporary, and ``save`` keeps it.
            callbacks, progress: as ``pagoda.train``.

        The same bits as ``pagoda train --from MODEL`` of a file.

        Raises:
            UsageError: an ensemble or bare vectors, or a setting that makes towers of another shape. InputError: wrong
                data.
        """
        from ._training import go_on

        return go_on(self, clicks, items=items, users=users, settings=settings, output=output, callbacks=callbacks,
                     progress=progress)

    def save(self, path: str | os.PathLike) -> None:
        """Writes the bundle, whole or not at all: what ``pagoda.load``, every command and the server read.

        The state that ``partial_fit`` goes on from without loss lies beside it, as PATH.state, where there is one.
        """
        path, state = os.fspath(path), self.path + ".state"
        self._loaded.copy_to(path)
        if os.path.exists(state) and os.path.realpath(path) != os.path.realpath(self.path):
            shutil.copyfile(state, path + ".state.new")
            os.replace(path + ".state.new", path + ".state")

    def serve(self, port: int = 8080, *, host: str = "127.0.0.1", ui: bool = False,
              arguments: Sequence[str] = ()) -> subprocess.Popen:
        """Starts ``pagoda serve`` on the model's file, and gives its process; ``terminate()`` drains and ends it."""
        command = [*program(), "serve", self.path, "--http", f"{host}:{port}", *(["--ui"] if ui else []), *arguments]
        return subprocess.Popen(command)

    def __getstate__(self) -> dict:
        with tempfile.TemporaryDirectory(prefix="pagoda-") as folder:
            path = os.path.join(folder, "model.pagoda")
            self.save(path)
            with open(path, "rb") as file:
                return {"bundle": file.read(), "threads": self._threads}

    def __setstate__(self, state: dict) -> None:
        folder = tempfile.TemporaryDirectory(prefix="pagoda-")
        path = os.path.join(folder.name, "model.pagoda")
        with open(path, "wb") as file:
            file.write(state["bundle"])
        self.__init__(path, threads=state["threads"], _folder=folder)


def load(path: str | os.PathLike, *, threads: int = 0, journal: bool = False) -> Model:
    """Opens a bundle. ``journal``: with the items that ``pagoda serve`` has added since."""
    return Model(path, threads=threads, journal=journal)


def _changes(items: Sequence[Mapping[str, Any]]) -> str:
    changes = []
    for item in items:
        if "item" not in item:
            raise InputError("an item is a dict {'item': id, 'attributes': {...}}", "items")
        change = {str(k): _plain(v) for k, v in item.items()}
        change["item"] = id_text(item["item"])
        changes.append(change)
    return json.dumps(changes)


def _length_of(told: Mapping[str, Any]) -> int:
    for name in _LIST_KEYS:
        if name in told:
            return len(told[name])
    return 1


def _one_of(name: str, value: Any, n: int, rows: int) -> Any:
    if name in ("events", "context", "features") and isinstance(value, Mapping):
        return value
    if name == "time" and not isinstance(value, (list, tuple, np.ndarray)):
        return value
    if len(value) != rows:
        raise InputError(f"{name}: {len(value)} of them for {rows} users: give one a user", name)
    return value[n]


def _rows_of(frame: Any) -> list[dict]:
    """Rows of a frame of polars, pandas or pyarrow as requests; columns that are no key of a request are features."""
    if hasattr(frame, "to_dicts"):  # polars
        rows = frame.to_dicts()
    elif hasattr(frame, "to_pylist"):  # pyarrow
        rows = frame.to_pylist()
    else:
        rows = frame.to_dict("records")
    known = {"user", "history", "recent", "events", "context", "features", "time"}
    found = []
    for row in rows:
        request = {key: value for key, value in row.items() if key in known}
        features = {key: value for key, value in row.items() if key not in known and value is not None}
        if features:
            request["features"] = {**(request.get("features") or {}), **features}
        found.append(request)
    return found
