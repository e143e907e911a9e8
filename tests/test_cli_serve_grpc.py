"""The server over gRPC: the same answers, errors and limits as over HTTP."""

import concurrent.futures
import contextlib
import decimal
import hashlib
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import raw_http2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

ROOT = pathlib.Path(__file__).resolve().parent.parent
ON = ("--grpc", "127.0.0.1:0")
Code = grpc.StatusCode


@pytest.fixture(scope="session")
def pb(tmp_path_factory):
    """What protoc makes of the .proto file, messages and stubs in one namespace."""
    folder = tmp_path_factory.mktemp("proto")
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT}/proto", f"--python_out={folder}", f"--grpc_python_out={folder}",
                    "pagoda/v1/retrieval.proto"], check=True)
    sys.path.insert(0, str(folder))
    from pagoda.v1 import retrieval_pb2, retrieval_pb2_grpc
    sys.path.remove(str(folder))
    vars(retrieval_pb2)["RetrievalStub"] = retrieval_pb2_grpc.RetrievalStub
    return retrieval_pb2


@pytest.fixture
def connect(pb):
    """connect(server): a stub over a channel that is closed at the end."""
    channels = []

    def open_channel(server, credentials=None, options=()):
        address = f"127.0.0.1:{server.grpc_port}"
        channels.append(grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options))
        return pb.RetrievalStub(channels[-1])

    yield open_channel
    for channel in channels:
        channel.close()


def value(pb, x):
    if isinstance(x, list):
        return pb.Value(list=pb.List(values=map(str, x)))
    return {type(None): lambda: pb.Value(), bool: lambda: pb.Value(boolean=x), int: lambda: pb.Value(integer=x), float: lambda: pb.Value(real=x),
            str: lambda: pb.Value(text=x)}[type(x)]()


def values(pb, object):
    return {key: value(pb, x) for key, x in object.items()}


def message(pb, kind, body):
    """A JSON body as the message of that kind: the same names."""
    out = dict(body)
    if "history" in out:
        out["history"] = pb.List(values=out["history"])
    for key in ("context", "features"):
        if key in out:
            out[key] = values(pb, out[key])
    if "quota" in out:
        out["quota"] = pb.Quota(**out["quota"])
    if "requests" in out:
        out["requests"] = [message(pb, "RetrieveRequest", one) for one in out["requests"]]
    if "events" in out:
        out["events"] = [message(pb, "Event", one) for one in out["events"]]
    if "users" in out:
        out["users"] = [message(pb, "User", one) for one in out["users"]]
    if "items" in out and kind != "DeleteItemsRequest":
        out["items"] = [message(pb, "Item", {"item": one} if isinstance(one, str) else {"attributes": {}, **one}) for one in out["items"]]
    if kind == "Item" and "attributes" in out:
        out["attributes"] = pb.Attributes(values=values(pb, out["attributes"]))
    return getattr(pb, kind)(**out)


def plain(x):
    """A message's value as JSON has it."""
    kind = x.WhichOneof("kind")
    return None if kind is None else list(x.list.values) if kind == "list" else getattr(x, kind)


def answer(m):
    """An answer's message as the JSON answer."""
    name = type(m).__name__
    if name == "RetrieveBatchResponse":
        return {"answers": [answer(one) for one in m.answers]}
    if name == "EncodeResponse":
        return {"vectors": [list(v.values) for v in m.vectors], "model": m.model}
    if name == "AddEventsResponse":
        return {key: getattr(m, key) for key in ("events", "repeated", "unknown_items") if key == "events" or getattr(m, key)}
    if name in ("UpsertItemsResponse", "DeleteItemsResponse"):
        return {"items": m.items}
    out = {"items": list(m.items), "scores": list(m.scores), "model": m.model}
    if m.attributes:
        out["attributes"] = [{key: plain(x) for key, x in row.values.items()} for row in m.attributes]
    if name == "RetrieveResponse":
        out["user_known"] = m.user_known
        if m.HasField("live"):
            out["live"] = m.live
        if m.HasField("explain"):
            e = m.explain
            out["explain"] = {key: getattr(e, key) for key in ("plan", "selectivity", "lists_probed", "vectors_scored", "vectors_reranked", "boosted", "live_events")}
    return out


def as_floats(x):
    """A JSON answer with its 32-bit numbers as the bits that they stand for, and no times."""
    import numpy as np
    if isinstance(x, dict):
        return {key: [float(np.float32(s)) for s in v] if key == "scores" else [[float(np.float32(s)) for s in row] for row in v] if key == "vectors"
                else as_floats(v) for key, v in x.items() if key != "times_ms"}
    return [as_floats(one) for one in x] if isinstance(x, list) else x


CALLS = {
    "Retrieve": ("/v1/retrieve", "RetrieveRequest"), "RetrieveBatch": ("/v1/retrieve_batch", "RetrieveBatchRequest"),
    "Similar": ("/v1/similar", "SimilarRequest"), "Encode": ("/v1/encode", "EncodeRequest"),
    "UpsertItems": ("/v1/items:upsert", "UpsertItemsRequest"), "DeleteItems": ("/v1/items:delete", "DeleteItemsRequest"),
    "AddEvents": ("/v1/events", "AddEventsRequest"),
}

ASKED = [
    {}, {"user": "u1"}, {"user": "u1", "history": []}, {"user": "u1", "recent": ["i5", "i9", "new"]}, {"user": "u1", "history": [], "recent": ["i5"]}, {"user": "u2", "history": ["i5", "i9", "new"]}, {"history": ["i5"], "context": {"device": "phone"}},
    {"user": "u3", "features": {"country": "DE"}, "time": "2024-01-01T00:00:00Z"}, {"user": "u4", "k": 7, "exclude_seen": False},
    {"user": "u5", "filter": "minutes < 100 and not seen", "attributes": ["title", "genres", "minutes", "released", "rating"]},
    {"user": "u5", "exclude": ["i3", "i4", "nobody"], "quota": {"attribute": "author", "max": 2}},
    {"user": "u6", "min_score": 0.25}, {"user": "u6", "explain": True, "filter": "minutes < 100"}, {"vector": [0.1, -1e-30] + [0.3] * 14},
    {"user": "u1", "timeout_ms": 60000}, {"features": {"country": None}},
]
RIGHT = [("Retrieve", body) for body in ASKED] + [
    ("RetrieveBatch", {"requests": [body for body in ASKED if "timeout_ms" not in body and "explain" not in body], "timeout_ms": 60000}),
    ("Similar", {"item": "i7"}), ("Similar", {"item": "i7", "k": 3, "attributes": ["title", "minutes"]}),
    ("Encode", {"users": [{"user": "u1"}, {"user": "u1", "recent": ["i3"]}, {"history": []}, {}]}), ("Encode", {"items": ["i1", {"item": "x", "attributes": {"minutes": 90}}, {"item": "y"}]}),
    ("UpsertItems", {"items": [{"item": "n1", "attributes": {"title": "x", "minutes": 90, "genres": ["Drama", "Crime"], "rating": 3.5}}, {"item": "n2"}]}),
    ("Retrieve", {"k": 1000, "filter": "title = 'x'", "attributes": ["title", "genres", "minutes", "rating", "released"]}),
    ("DeleteItems", {"items": ["n1", "n2", "n3"]}),
]
WRONG = [
    ("Retrieve", {"k": 0}), ("Retrieve", {"k": -5}), ("Retrieve", {"filter": "yaer = 1"}), ("Retrieve", {"context": {"devcie": "tv"}}),
    ("Retrieve", {"quota": {"attribute": "genres", "max": 1}}), ("Retrieve", {"attributes": ["titel"]}), ("Retrieve", {"vector": [1.0]}),
    ("Retrieve", {"time": "yesterday"}), ("Retrieve", {"timeout_ms": 0}), ("RetrieveBatch", {"requests": [{}, {"k": 10**9}]}),
    ("RetrieveBatch", {"requests": []}), ("RetrieveBatch", {"requests": [{"timeout_ms": 5}]}), ("Similar", {"item": "nobody"}), ("Similar", {}),
    ("Encode", {}), ("Encode", {"items": ["nobody"]}), ("UpsertItems", {"items": [{"item": "n", "attributes": {"minutes": "long"}}]}),
    ("UpsertItems", {"items": [{"item": "n"}, {"item": "n"}]}), ("UpsertItems", {"items": [{"attributes": {}}]}), ("DeleteItems", {}),
    ("DeleteItems", {"items": ["x"] * 300}),
]


@pytest.mark.parametrize("kind", ["exact", "partitioned"])
def test_every_call_is_answered_as_over_http_bit_for_bit(cli, serve, model, pb, connect, kind, tmp_path):
    bundle = tmp_path / "m.pagoda"
    shutil.copy(model, bundle)
    if kind == "partitioned":
        cli("index", bundle, "--kind", "partitioned", "--lists", 20, "--k", 20)
    with serve(bundle, *ON) as server:
        stub = connect(server)
        for call, body in RIGHT:
            path, request = CALLS[call]
            expected = as_floats(server.post(path, body))
            assert answer(getattr(stub, call)(message(pb, request, body))) == expected, (call, body)
        for name, (path, _) in CALLS.items():
            calls = 2 * sum(call == name for call, _ in RIGHT)
            assert server.metric(f'pagoda_requests_total{{call="{path.split("/")[-1]}",status="200"}}') == calls


def test_what_is_wrong_is_said_as_over_http(serve, model, pb, connect, tmp_path):
    bundle = tmp_path / "m.pagoda"
    shutil.copy(model, bundle)
    with serve(bundle, *ON) as server:
        stub = connect(server)
        for call, body in WRONG:
            path, request = CALLS[call]
            _, expected, _ = server.call("POST", path, body)
            built = message(pb, request, body)
            if body == {"items": [{"attributes": {}}]}:
                built.items[0].ClearField("item")
            with pytest.raises(grpc.RpcError) as error:
                getattr(stub, call)(built)
            assert error.value.code() == Code.INVALID_ARGUMENT, (call, body)
            # An empty list cannot be told from a missing one.
            if body != {"requests": []}:
                assert error.value.details() == expected["error"]["message"]
            assert dict(error.value.trailing_metadata()).get("pagoda-field", "") == expected["error"]["field"], (call, body)


def test_numbers_keep_their_bits_and_those_that_are_none_harm_nobody(serve, model, pb, connect, tmp_path):
    bundle = tmp_path / "m.pagoda"
    shutil.copy(model, bundle)
    with serve(bundle, *ON) as server:
        stub = connect(server)
        large = 2**53 + 1
        stub.UpsertItems(pb.UpsertItemsRequest(items=[pb.Item(item="n", attributes=pb.Attributes(values=values(
            pb, {"minutes": large, "rating": float("nan")})))]))
        [row] = stub.Retrieve(pb.RetrieveRequest(k=5, filter=f"minutes = {large}", attributes=["minutes", "rating"])).attributes
        assert row.values["minutes"].integer == large and row.values["rating"].WhichOneof("kind") is None
        for odd in (float("nan"), float("inf"), -float("inf")):
            for request in (pb.RetrieveRequest(min_score=odd), pb.RetrieveRequest(vector=[odd] * 16)):
                with pytest.raises(grpc.RpcError) as error:
                    stub.Retrieve(request)
                assert error.value.code() == Code.INVALID_ARGUMENT


def test_a_number_that_neither_integer_nor_real_holds_is_its_digits(cli, serve, pb, connect, tmp_path):
    rows = range(8)
    table = pa.table({"item_id": [f"i{i}" for i in rows], "huge": pa.array([2**64 - 1 - i for i in rows], pa.uint64()),
                      "price": pa.array([decimal.Decimal(35 + i).scaleb(-2) for i in rows], pa.decimal128(10, 2))})
    pq.write_table(table, tmp_path / "items.parquet")
    (tmp_path / "log.csv").write_text("user_id,item_id,ts\n" + "".join(f"u{u},i{(u + n) % 8},{1700000000 + 86400 * n}\n" for u in range(20) for n in range(4)))
    cli("train", "--interactions", "log.csv", "--user", "user_id", "--item", "item_id", "--time", "ts", "--items", "items.parquet",
        "--set", "data.split.kind=leave_last", "--set", "train.epochs=1", "--set", "train.batch=64", "-o", "m.pagoda", cwd=tmp_path)
    with serve(tmp_path / "m.pagoda", *ON) as server:
        stub = connect(server)
        own = {"huge": pb.Value(number="18446744073709551615"), "price": pb.Value(number="0.350")}
        stub.UpsertItems(pb.UpsertItemsRequest(items=[pb.Item(item="n", attributes=pb.Attributes(values=own))]))
        answer = stub.Retrieve(pb.RetrieveRequest(k=9, filter="huge = 18446744073709551615 and price = 0.35", attributes=["huge", "price"]))
        assert sorted(answer.items) == ["i0", "n"]
        for row in answer.attributes:
            assert (row.values["huge"].number, row.values["price"].number) == ("18446744073709551615", "0.35")


def test_the_model_is_described(serve, model, pb, connect):
    with serve(model, *ON) as server:
        told, expected = connect(server).Model(pb.ModelRequest()), server.call("GET", "/v1/model")[1]
        assert {**expected, "info": json.loads(told.info), "metrics": json.loads(told.metrics)} == expected
        assert dict(told.attributes) == expected["attributes"]
        for key in ("fingerprint", "index", "added_items", "hidden_items", "config"):
            assert getattr(told, key) == expected[key]
        for key in ("context", "features"):
            assert list(getattr(told, key)) == expected[key]


def test_keys_and_roles_hold_and_paths_are_for_the_admin(serve, model, pb, connect, tmp_path):
    roles = {"r-key": "read", "w-key": "write", "a-key": "admin"}
    (tmp_path / "keys").write_text("".join(f"{hashlib.sha256(key.encode()).hexdigest()} {role} x\n" for key, role in roles.items()))
    bundle = tmp_path / "m.pagoda"
    shutil.copy(model, bundle)
    with serve(bundle, *ON, "--keys", tmp_path / "keys") as server:
        stub = connect(server)

        def code(call, request, *metadata):
            try:
                call(request, metadata=metadata)
            except grpc.RpcError as error:
                return error.code()
            return Code.OK

        ask, add = (stub.Retrieve, pb.RetrieveRequest(k=1)), (stub.DeleteItems, pb.DeleteItemsRequest(items=["x"]))
        assert code(*ask) == code(*ask, ("authorization", "Bearer nobody's")) == Code.UNAUTHENTICATED
        assert code(*ask, ("authorization", "Bearer r-key")) == code(*ask, ("x-api-key", "r-key")) == Code.OK
        assert code(*add, ("authorization", "Bearer r-key")) == Code.PERMISSION_DENIED
        assert code(*add, ("authorization", "Bearer w-key")) == Code.OK
        for key, role in roles.items():
            config = stub.Model(pb.ModelRequest(), metadata=[("authorization", f"Bearer {key}")]).config
            over_http = server.call("GET", "/v1/model", headers={"X-Api-Key": key})[1]["config"]
            assert over_http == config and "learning_rate" in config and 'user = "user_id"' in config
            assert ("interactions.parquet" in config) == ("items.parquet" in config) == (role == "admin")
            assert "/" not in config or role == "admin"


def test_a_line_of_the_log_for_each_call(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.log_format=json", "serve.log_requests=true"]) as server:
        stub = connect(server)
        answer, call = stub.Retrieve.with_call(pb.RetrieveRequest(k=7), metadata=[("x-request-id", "shop-1")])
        assert dict(call.initial_metadata())["x-request-id"] == "shop-1" and len(answer.items) == 7
        with pytest.raises(grpc.RpcError) as error:
            stub.Retrieve(pb.RetrieveRequest(k=0))
        made = dict(error.value.initial_metadata())["x-request-id"]
        server.stop()
    lines = [line for line in map(json.loads, server.log) if line["message"] == "request"]
    told = [{key: line.get(key) for key in ("protocol", "method", "path", "status", "items", "request_id")} for line in lines]
    same = {"protocol": "grpc", "method": "POST", "path": "/v1/retrieve"}
    assert told == [{**same, "status": 200, "items": 7, "request_id": "shop-1"}, {**same, "status": 400, "items": None, "request_id": made}]


def test_a_deadline_of_either_kind_is_kept(serve, model, pb, connect):
    requests = [pb.RetrieveRequest(user=f"u{i % 250}", k=300) for i in range(1000)]
    with serve(model, *ON, settings=["serve.max_requests=1000", "serve.queue=5000"]) as server:
        stub = connect(server)
        with pytest.raises(grpc.RpcError) as error:
            stub.RetrieveBatch(pb.RetrieveBatchRequest(requests=requests, timeout_ms=1), timeout=60)
        assert error.value.code() == Code.DEADLINE_EXCEEDED and "deadline passed" in error.value.details()
        with pytest.raises(grpc.RpcError) as error:
            stub.RetrieveBatch(pb.RetrieveBatchRequest(requests=requests, timeout_ms=60000), timeout=0.001)
        assert error.value.code() == Code.DEADLINE_EXCEEDED
        assert len(stub.RetrieveBatch(pb.RetrieveBatchRequest(requests=requests), timeout=60).answers) == 1000


def test_a_deadline_thousands_of_years_ahead_is_none_that_has_passed(serve, model, pb):
    with serve(model, *ON) as server, contextlib.closing(raw_http2.Connection(server.grpc_port)) as connection:
        connection.ask(b"Retrieve", pb.RetrieveRequest(user="u1", k=5).SerializeToString(), grpc_timeout=b"99999999H")
        kinds, ended = set(), False
        while not ended:
            for kind, flags, stream, _ in connection.frames(30):
                if stream == 1:
                    kinds.add(kind)
                    ended |= kind == raw_http2.HEADERS and flags & raw_http2.END_STREAM
        assert raw_http2.DATA in kinds, "an error is a header alone, an answer has data"


@pytest.mark.not_under("tsan", reason="it measures a pace, and gRPC is twenty times as slow there")
def test_overload_is_turned_away_and_the_rest_is_answered(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.queue=8", "serve.max_requests=8", "serve.batch=1", "serve.threads=1"]) as server:
        request = pb.RetrieveBatchRequest(requests=[pb.RetrieveRequest(user=f"u{i}", k=300) for i in range(8)])
        stubs = [connect(server, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]) for _ in range(12)]

        def client(stub):
            codes = []
            for _ in range(20):
                try:
                    stub.RetrieveBatch(request)
                    codes.append(Code.OK)
                except grpc.RpcError as error:
                    codes.append(error.code())
                    assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
            return codes

        with concurrent.futures.ThreadPoolExecutor(12) as threads:
            codes = [code for some in threads.map(client, stubs) for code in some]
        assert set(codes) == {Code.OK, Code.RESOURCE_EXHAUSTED} and codes.count(Code.OK) >= 20


def test_answers_that_nobody_takes_make_room_for_others(serve, model, pb, connect):
    asked = pb.RetrieveRequest(k=5).SerializeToString()
    with serve(model, *ON, settings=["serve.queue=8", "serve.max_requests=8"]) as server, contextlib.ExitStack() as closing:
        connections = [closing.enter_context(contextlib.closing(raw_http2.Connection(server.grpc_port, window=0))) for _ in range(2)]
        for connection in connections:
            for _ in range(8):
                stream = connection.ask(b"Retrieve", asked)
                while not any(kind == raw_http2.HEADERS and of == stream for kind, _, of, _ in connection.frames(30)):
                    pass
        time.sleep(1.1)
        assert connect(server).Retrieve(pb.RetrieveRequest(k=5), timeout=20).items
        for connection in connections:
            cut_off, end = set(), time.monotonic() + 20
            while len(cut_off) < 8:
                cut_off |= {stream for kind, _, stream, _ in connection.frames(1) if kind == raw_http2.RST_STREAM}
                assert time.monotonic() < end


@pytest.mark.not_under("tsan", reason="it measures a pace, and gRPC is twenty times as slow there")
def test_requests_that_never_end_fill_so_much_memory_alone(serve, model, pb, connect):
    begun = raw_http2.message(bytes(64000))[:60000]
    with serve(model, *ON, settings=["serve.max_body_kb=64"]) as server, contextlib.ExitStack() as closing:
        connections = [closing.enter_context(contextlib.closing(raw_http2.Connection(server.grpc_port))) for _ in range(12)]
        left = {connection: {connection.begin(b"Retrieve"): begun for _ in range(400)} for connection in connections}
        cut_off = False
        while not cut_off and any(left.values()):
            for connection, streams in left.items():
                for stream, payload in list(streams.items())[:20]:
                    streams[stream] = connection.send(stream, payload) if payload else b""
                    if not streams[stream]:
                        del streams[stream]
                cut_off |= any(kind == raw_http2.RST_STREAM for kind, *_ in connection.frames())
        assert cut_off, "they hold 280 MB"
        for connection in connections:
            connection.close()
        stub = connect(server)

        def answered():
            with contextlib.suppress(grpc.RpcError):  # there may be too many calls until those that were cut off have ended
                return bool(stub.Retrieve(pb.RetrieveRequest(k=5), timeout=20).items)

        server.wait_until(answered)


def test_what_is_too_large_or_no_message_is_refused(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.max_body_kb=8"]) as server:
        stub = connect(server)
        with pytest.raises(grpc.RpcError) as error:
            stub.Retrieve(pb.RetrieveRequest(exclude=["x" * 9000]))
        assert error.value.code() == Code.RESOURCE_EXHAUSTED
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel, pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/pagoda.v1.Retrieval/Retrieve")(b"\xff\xff\xff")
        assert error.value.code() == Code.INVALID_ARGUMENT and error.value.details() == "the request is not a pagoda.v1.RetrieveRequest"
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel, pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/pagoda.v1.Retrieval/Nothing")(b"")
        assert error.value.code() == Code.UNIMPLEMENTED
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel, pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/pagoda.v1.Retrieval/Retrieve")(bytes([pb.RetrieveRequest.USER_FIELD_NUMBER << 3 | 2, 1, 0xff]))
        assert error.value.code() == Code.INVALID_ARGUMENT
        assert stub.Retrieve(pb.RetrieveRequest(k=1)).items
    assert "UTF-8" not in "".join(server.log), "a stranger's bytes write no lines of protobuf's to our log"


def test_a_message_that_grows_when_it_is_inflated_is_not(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.max_body_kb=64"]) as server:
        stub = connect(server)

        def peak_mb():
            return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1]) / 1000

        assert stub.Retrieve(pb.RetrieveRequest(k=1)).items
        before = peak_mb()
        with pytest.raises(grpc.RpcError) as error:
            stub.Retrieve(pb.RetrieveRequest(exclude=["x" * 100_000_000]), compression=grpc.Compression.Gzip)
        assert error.value.code() == Code.UNIMPLEMENTED
        assert peak_mb() < before + 60
        assert stub.Retrieve(pb.RetrieveRequest(k=1)).items


def test_a_message_is_as_large_as_it_comes_not_as_json_would_be(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.max_body_kb=24"]) as server:
        stub = connect(server)
        dim = len(stub.Encode(pb.EncodeRequest(items=[pb.Item(item="i1")])).vectors[0].values)
        request = pb.RetrieveBatchRequest(requests=[pb.RetrieveRequest(vector=[1 / (3 + d) for d in range(dim)], k=1)] * min(256, 18_000 // (4 * dim + 8)))
        assert request.ByteSize() < 24 * 1024 < 8 * dim * len(request.requests)
        assert len(stub.RetrieveBatch(request).answers) == len(request.requests)


def test_reflection_tells_the_service_and_its_messages(serve, model, pb):
    with serve(model, *ON) as server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        told = ProtoReflectionDescriptorDatabase(channel)
        assert "pagoda.v1.Retrieval" in told.get_services()
        assert told.FindFileContainingSymbol("pagoda.v1.Retrieval").SerializeToString() == pb.DESCRIPTOR.serialized_pb


def test_health_follows_readiness_and_what_is_under_way_is_answered(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.drain_ms=1500", "serve.max_requests=1000"]) as server:
        stub = connect(server)
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
            services = ["", "pagoda.v1.Retrieval"]
            status = lambda service: health.Check(health_pb2.HealthCheckRequest(service=service)).status
            assert [status(service) for service in services] == [serving, serving]
            watched = health.Watch(health_pb2.HealthCheckRequest(service="pagoda.v1.Retrieval"))
            assert next(watched).status == serving
            requests = [pb.RetrieveRequest(user=f"u{i % 250}", k=300) for i in range(1000)]
            under_way = stub.RetrieveBatch.future(pb.RetrieveBatchRequest(requests=requests))
            server.wait_until(lambda: server.metric("pagoda_queue_length") > 0 or under_way.done())
            server.process.send_signal(signal.SIGTERM)
            assert next(watched).status == not_serving
            assert [status(service) for service in services] == [not_serving, not_serving]
            with pytest.raises(grpc.RpcError) as error:
                stub.Retrieve(pb.RetrieveRequest(k=1))
            assert error.value.code() == Code.UNAVAILABLE and error.value.details() == "the server is shutting down"
            assert stub.Model(pb.ModelRequest()).fingerprint, "what changes nothing and asks for no search is answered to the end"
            assert len(under_way.result().answers) == 1000
            assert server.process.wait(20) == 0
            server.reader.join()


@pytest.mark.not_under("tsan", reason="it measures a pace, and gRPC is twenty times as slow there")
def test_slow_searches_hold_no_threads(serve, model, pb, connect):
    """More calls at once than any pool has threads, and those that need no search are answered meanwhile."""
    with serve(model, *ON, settings=["serve.batch=1", "serve.threads=1", "serve.queue=5000"]) as server:
        stub = connect(server)
        slow = [stub.RetrieveBatch.future(pb.RetrieveBatchRequest(requests=[pb.RetrieveRequest(user=f"u{i}", k=300) for i in range(20)])) for _ in range(200)]
        began = time.monotonic()
        assert stub.Model(pb.ModelRequest()).fingerprint
        waited = time.monotonic() - began
        assert not all(call.done() for call in slow) and waited < 5
        assert all(len(call.result().answers) == 20 for call in slow)
        assert server.process.poll() is None
        threads = len(list(pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()))
        assert threads < 60


def test_the_certificate_of_http_serves_grpc_too(serve, model, pb, connect, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    with serve(model, *ON, settings=[f"serve.tls_certificate={tmp_path}/cert.pem", f"serve.tls_key={tmp_path}/key.pem"]) as server:
        stub = connect(server, grpc.ssl_channel_credentials((tmp_path / "cert.pem").read_bytes()))
        assert stub.Retrieve(pb.RetrieveRequest(k=3)).items
        with pytest.raises(grpc.RpcError):
            connect(server).Retrieve(pb.RetrieveRequest(k=3), timeout=5)


def test_an_address_that_is_none_or_taken_is_an_error(cli, serve, model):
    cli("serve", model, "--http", "127.0.0.1:0", "--grpc", "nowhere", code=2, says='serve.grpc = "nowhere" is not an address and port')
    with serve(model, *ON) as server:
        cli("serve", model, "--http", "127.0.0.1:0", "--grpc", f"127.0.0.1:{server.grpc_port}", code=1, says="cannot be listened on")


LOCAL = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own


def test_more_connections_than_may_be_open_wait(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.connections=2"]) as server:
        first, second = (grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", LOCAL) for _ in range(2))
        for channel in (first, second):
            assert pb.RetrievalStub(channel).Retrieve(pb.RetrieveRequest(k=1), timeout=20).items
        assert server.metric("pagoda_connections") == 3, "and that of HTTP which asks"
        third = connect(server, options=LOCAL)
        with pytest.raises(grpc.RpcError):
            third.Retrieve(pb.RetrieveRequest(k=1), timeout=1)
        assert pb.RetrievalStub(second).Retrieve(pb.RetrieveRequest(k=1), timeout=20).items
        first.close()
        assert third.Retrieve(pb.RetrieveRequest(k=1), timeout=20, wait_for_ready=True).items
        second.close()


def test_the_compared_model_is_named_in_the_metadata(serve, model, cli, pb, connect, tmp_path):
    other = tmp_path / "other.pagoda"
    shutil.copy(model, other)
    cli("index", other, "--kind", "partitioned", "--lists", 20, "--k", 20)
    with serve(model, *ON, "--compare", other) as server:
        stub = connect(server)
        compare, former = (("pagoda-model", "compare"),), (("pagoda-model", "beside"),)
        asked = pb.RetrieveRequest(user="u3", k=5)
        for metadata, path in (((), "/v1"), (compare, "/compare/v1"), (former, "/beside/v1")):
            assert list(stub.Retrieve(asked, metadata=metadata).items) == server.post(f"{path}/retrieve", {"user": "u3", "k": 5})["items"]
            assert stub.Model(pb.ModelRequest(), metadata=metadata).index == server.call("GET", f"{path}/model")[1]["index"]
        assert stub.Model(pb.ModelRequest(), metadata=compare).index == "partitioned"
        with pytest.raises(grpc.RpcError) as error:
            stub.Retrieve(asked, metadata=(("pagoda-model", "third"),))
        assert error.value.code() == Code.NOT_FOUND


def test_clients_that_go_away_in_the_middle_harm_nobody(serve, model, pb, connect):
    with serve(model, *ON, settings=["serve.queue=5000"]) as server:
        def client(n):
            for i in range(30):
                with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
                    call = pb.RetrievalStub(channel).RetrieveBatch.future(pb.RetrieveBatchRequest(requests=[pb.RetrieveRequest(k=300)] * 50))
                    if i % 2:
                        call.cancel()
        threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert connect(server).Retrieve(pb.RetrieveRequest(k=3)).items


SEEDS = {
    "Retrieve": [("RetrieveRequest", {"user": "u1", "history": ["i1", "i2"], "recent": ["i3"], "context": {"device": "phone"}, "features": {"country": "DE"}, "k": 20,
                                      "filter": "minutes >= 90 and not seen", "exclude": ["i9"], "exclude_seen": True, "quota": {"attribute": "author", "max": 5},
                                      "min_score": 0.1, "attributes": ["title"], "explain": True, "timeout_ms": 5000, "time": "2024-05-01"}),
                 ("RetrieveRequest", {"vector": [0.5] * 16, "k": 3})],
    "RetrieveBatch": [("RetrieveBatchRequest", {"requests": [{"user": "u1", "k": 3}, {"history": ["i3"], "k": 2}], "timeout_ms": 5000})],
    "Similar": [("SimilarRequest", {"item": "i7", "k": 5, "attributes": ["title"]})],
    "Encode": [("EncodeRequest", {"users": [{"user": "u1"}, {}]}), ("EncodeRequest", {"items": ["i1", {"item": "new", "attributes": {"title": "x", "minutes": 90}}]})],
    "UpsertItems": [("UpsertItemsRequest", {"items": [{"item": "n1", "attributes": {"title": "x", "minutes": 90, "genres": ["Drama"]}}, {"item": "n2"}]})],
    "DeleteItems": [("DeleteItemsRequest", {"items": ["n1", "n2", "n3"]})],
}


def mutated(rng, data):
    """A message's bytes with some of them changed, left out, doubled or made up."""
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(data) + 1)
        some = rng.choice([b"", rng.randbytes(1), rng.randbytes(3), data[at:at + rng.randrange(20)], b"\xff" * 10, b"\x00"])
        data = data[:at] + some + data[at + rng.randrange(4):]
    return data


def test_mutated_messages_neither_harm_nor_puzzle_it(serve, model, pb, tmp_path, pytestconfig):
    bundle = tmp_path / "m.pagoda"
    shutil.copy(model, bundle)
    rng = random.Random(8)
    seeds = {call: [message(pb, kind, body).SerializeToString() for kind, body in bodies] for call, bodies in SEEDS.items()}
    codes = {}
    with serve(bundle, *ON) as server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        calls = {name: channel.unary_unary(f"/pagoda.v1.Retrieval/{name}") for name in seeds}
        for _ in range(50000 if pytestconfig.getoption("--all") else 1500):
            name = rng.choice(list(calls))
            data = mutated(rng, rng.choice(seeds[name]))
            try:
                calls[name](data, timeout=60)
                code = Code.OK
            except grpc.RpcError as error:
                code = error.code()
                assert not re.search(r"\.cpp|/tmp|/dev|std::|nlohmann", error.details()), (name, data)
            assert code in (Code.OK, Code.INVALID_ARGUMENT, Code.DEADLINE_EXCEEDED), (name, data, code)  # its own timeout_ms may be short
            codes[code] = codes.get(code, 0) + 1
        assert server.process.poll() is None and server.post("/v1/retrieve", {"user": "u1"})["items"]
    assert min(codes.get(Code.OK, 0), codes.get(Code.INVALID_ARGUMENT, 0)) > sum(codes.values()) / 20, codes
