"""Live events over gRPC: they count, and are told, as over HTTP."""

import grpc
import pytest
from test_cli_serve_grpc import ON, Code, answer, as_floats, connect, message, pb  # noqa: F401


def test_events_count_as_over_http(serve, bundle, connect, pb):  # noqa: F811
    body = {"events": [{"user": "u3", "item": "i5", "time": "2031-01-01", "context": {"device": "tv"}, "id": "e-1"}, {"user": "u3", "item": "new", "id": "7"}]}
    with serve(bundle, *ON) as server:
        stub = connect(server)
        assert answer(stub.AddEvents(message(pb, "AddEventsRequest", body))) == {"events": 2, "unknown_items": 1}
        assert server.post("/v1/events", body) == {"events": 2, "repeated": 2, "unknown_items": 1}
        got = answer(stub.Retrieve(message(pb, "RetrieveRequest", {"user": "u3", "explain": True})))
        assert got["explain"]["live_events"] == 2
        expected = server.post("/v1/retrieve", {"user": "u3", "explain": True})
        assert as_floats(got) == as_floats(expected)
        with pytest.raises(grpc.RpcError) as wrong:
            stub.AddEvents(pb.AddEventsRequest(events=[pb.Event(user="u3")]))
        assert (wrong.value.code(), dict(wrong.value.trailing_metadata())["pagoda-field"]) == (Code.INVALID_ARGUMENT, "events[0].item")


def test_an_answer_that_may_lack_events_says_so(serve, bundle, connect, pb):  # noqa: F811
    with serve(bundle, *ON, settings=["serve.redis=redis://127.0.0.1:1"]) as server:  # where no Redis is
        got = answer(connect(server).Retrieve(pb.RetrieveRequest(user="u3")))
        assert got["live"] is False
        assert as_floats(got) == as_floats(server.post("/v1/retrieve", {"user": "u3"}))
        assert "live" not in answer(connect(server).Retrieve(pb.RetrieveRequest()))
        with pytest.raises(grpc.RpcError) as away:
            connect(server).AddEvents(pb.AddEventsRequest(events=[pb.Event(user="u3", item="i5")]))
        assert away.value.code() == Code.UNAVAILABLE
