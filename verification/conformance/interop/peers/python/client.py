"""grpcio as interoperability client. It does not show whether a response was compressed, only whether it is right."""

import argparse
import queue
import time

import grpc

from messages import METHODS, Messages

REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
STATUS_MESSAGE = "test status message"
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
ECHOED = (
    ("x-grpc-test-echo-initial", "test_initial_metadata_value"),
    ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"),
)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def check_fails(call, code, message=None):
    try:
        call()
    except grpc.RpcError as error:
        check(error.code() == code, f"{error.code()} ({error.details()}) instead of {code}")
        check(message is None or error.details() == message, f"message {error.details()!r}")
        return
    raise AssertionError(f"the call went well; {code} was due")


class Stub:
    """The methods of a service as callables."""

    def __init__(self, channel, messages, service="TestService"):
        for name, (request, response, client_streams, server_streams) in METHODS.items():
            kind = f"{'stream' if client_streams else 'unary'}_{'stream' if server_streams else 'unary'}"
            method = getattr(channel, kind)(
                f"/grpc.testing.{service}/{name}",
                request_serializer=getattr(messages, request).SerializeToString,
                response_deserializer=getattr(messages, response).FromString,
            )
            setattr(self, name, method)


class Requests:
    """Requests that are sent when they are put; ends with `end`."""

    def __init__(self):
        self._queue = queue.Queue()

    def put(self, request):
        self._queue.put(request)

    def end(self):
        self._queue.put(None)

    def __iter__(self):
        return self

    def __next__(self):
        request = self._queue.get()
        if request is None:
            raise StopIteration
        return request


class Cases:
    def __init__(self, options):
        self._options = options
        self._messages = Messages(options.descriptors)
        self.channel = self._open()
        self._stub = Stub(self.channel, self._messages)

    def _open(self):
        options = self._options
        # Channels would otherwise share connections, and channel_soak must open new ones.
        arguments = [("grpc.use_local_subchannel_pool", 1)]
        if options.server_host_override != "":
            arguments.append(("grpc.ssl_target_name_override", options.server_host_override))
        address = f"{options.server_host}:{options.server_port}"
        if options.use_tls != "true":
            return grpc.insecure_channel(address, options=arguments)
        with open(options.ca_file, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        return grpc.secure_channel(address, credentials, options=arguments)

    def _large_request(self, **more):
        return self._messages.SimpleRequest(
            response_size=LARGE_RESPONSE, payload={"body": bytes(LARGE_REQUEST)}, **more
        )

    def _output_request(self, request_bytes, response_bytes):
        return self._messages.StreamingOutputCallRequest(
            response_parameters=[{"size": response_bytes}], payload={"body": bytes(request_bytes)}
        )

    def empty_unary(self):
        check(self._stub.EmptyCall(self._messages.Empty()) is not None, "a response")

    def large_unary(self):
        response = self._stub.UnaryCall(self._large_request())
        check(len(response.payload.body) == LARGE_RESPONSE, "size of the response")

    def client_streaming(self):
        request = self._messages.StreamingInputCallRequest
        response = self._stub.StreamingInputCall(request(payload={"body": bytes(size)}) for size in REQUEST_SIZES)
        check(response.aggregated_payload_size == 74922, "the sum of sizes")

    def server_streaming(self):
        parameters = [{"size": size} for size in RESPONSE_SIZES]
        request = self._messages.StreamingOutputCallRequest(response_parameters=parameters)
        sizes = tuple(len(response.payload.body) for response in self._stub.StreamingOutputCall(request))
        check(sizes == RESPONSE_SIZES, f"responses of {sizes}")

    def ping_pong(self):
        requests = Requests()
        responses = self._stub.FullDuplexCall(requests)
        for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
            requests.put(self._output_request(request_size, response_size))
            check(len(next(responses).payload.body) == response_size, "size of a response")
        requests.end()
        check(list(responses) == [], "the number of responses")

    def empty_stream(self):
        check(list(self._stub.FullDuplexCall(iter(()))) == [], "no response")

    def custom_metadata(self):
        def check_echoes(call):
            check(ECHOED[0] in tuple(call.initial_metadata()), "the echo in the header")
            check(ECHOED[1] in tuple(call.trailing_metadata()), "the echo in the trailer")

        _, call = self._stub.UnaryCall.with_call(self._large_request(), metadata=ECHOED)
        check_echoes(call)
        requests = iter((self._output_request(LARGE_REQUEST, LARGE_RESPONSE),))
        call = self._stub.FullDuplexCall(requests, metadata=ECHOED)
        check(len(list(call)) == 1, "the number of responses")
        check_echoes(call)

    def status_code_and_message(self):
        status = {"code": 2, "message": STATUS_MESSAGE}
        request = self._messages.SimpleRequest(response_status=status)
        check_fails(lambda: self._stub.UnaryCall(request), grpc.StatusCode.UNKNOWN, STATUS_MESSAGE)
        requests = iter((self._messages.StreamingOutputCallRequest(response_status=status),))
        check_fails(lambda: list(self._stub.FullDuplexCall(requests)), grpc.StatusCode.UNKNOWN, STATUS_MESSAGE)

    def special_status_message(self):
        request = self._messages.SimpleRequest(response_status={"code": 2, "message": SPECIAL_MESSAGE})
        check_fails(lambda: self._stub.UnaryCall(request), grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE)

    def unimplemented_method(self):
        check_fails(lambda: self._stub.UnimplementedCall(self._messages.Empty()), grpc.StatusCode.UNIMPLEMENTED)

    def unimplemented_service(self):
        stub = Stub(self.channel, self._messages, "UnimplementedService")
        check_fails(lambda: stub.UnimplementedCall(self._messages.Empty()), grpc.StatusCode.UNIMPLEMENTED)

    def cancel_after_begin(self):
        requests = Requests()
        call = self._stub.StreamingInputCall.future(requests)
        call.cancel()
        requests.end()
        check(call.cancelled() and call.code() == grpc.StatusCode.CANCELLED, f"{call.code()}")

    def cancel_after_first_response(self):
        requests = Requests()
        call = self._stub.FullDuplexCall(requests)
        requests.put(self._output_request(27182, 31415))
        next(call)
        call.cancel()
        requests.end()
        check_fails(lambda: next(call), grpc.StatusCode.CANCELLED)

    def timeout_on_sleeping_server(self):
        requests = Requests()
        requests.put(self._messages.StreamingOutputCallRequest(payload={"body": bytes(27182)}))
        call = self._stub.FullDuplexCall(requests, timeout=0.001)
        check_fails(lambda: next(call), grpc.StatusCode.DEADLINE_EXCEEDED)
        requests.end()

    def client_compressed_unary(self):
        def call(expected, compression):
            request = self._large_request(expect_compressed={"value": expected})
            response = self._stub.UnaryCall(request, compression=compression)
            check(len(response.payload.body) == LARGE_RESPONSE, "size of the response")

        check_fails(lambda: call(True, grpc.Compression.NoCompression), grpc.StatusCode.INVALID_ARGUMENT)
        call(True, grpc.Compression.Gzip)
        call(False, grpc.Compression.NoCompression)

    def server_compressed_unary(self):
        for compressed in (True, False):
            response = self._stub.UnaryCall(self._large_request(response_compressed={"value": compressed}))
            check(len(response.payload.body) == LARGE_RESPONSE, "size of the response")

    def server_compressed_streaming(self):
        parameters = [
            {"compressed": {"value": True}, "size": 31415},
            {"compressed": {"value": False}, "size": 92653},
        ]
        request = self._messages.StreamingOutputCallRequest(response_parameters=parameters)
        sizes = [len(response.payload.body) for response in self._stub.StreamingOutputCall(request)]
        check(sizes == [31415, 92653], f"responses of {sizes}")

    def rpc_soak(self):
        self._soak(False)

    def channel_soak(self):
        self._soak(True)

    def _soak(self, per_call):
        options = self._options
        begin = time.monotonic()
        failures = 0
        for done in range(options.soak_iterations):
            start = time.monotonic()
            check(start - begin < options.soak_overall_timeout_seconds, f"only {done} calls in time")
            channel = self._open() if per_call else None
            stub = Stub(channel, self._messages) if per_call else self._stub
            try:
                is_right = len(stub.UnaryCall(self._large_request()).payload.body) == LARGE_RESPONSE
            except grpc.RpcError:
                is_right = False
            took_ms = (time.monotonic() - start) * 1000
            if not is_right or took_ms > options.soak_per_iteration_max_acceptable_latency_ms:
                failures += 1
            if channel is not None:
                channel.close()
        check(failures <= options.soak_max_failures, f"{failures} calls failed")


def main():
    parser = argparse.ArgumentParser()
    texts = ("server_host", "server_port", "server_host_override", "use_tls", "ca_file", "test_case", "descriptors")
    for name in texts:
        parser.add_argument("--" + name, default="")
    parser.add_argument("--soak_iterations", type=int, default=10)
    parser.add_argument("--soak_max_failures", type=int, default=0)
    parser.add_argument("--soak_per_iteration_max_acceptable_latency_ms", type=int, default=1000)
    parser.add_argument("--soak_overall_timeout_seconds", type=int, default=10)
    options = parser.parse_args()
    cases = Cases(options)
    getattr(cases, options.test_case)()
    cases.channel.close()


main()
