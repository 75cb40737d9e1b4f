"""grpcio as interoperability server. It does not show whether a request was compressed, so it trusts the client."""

import argparse
import signal
from concurrent import futures

import grpc

from messages import METHODS, Messages


def echo_metadata(context):
    metadata = dict(context.invocation_metadata())
    if "x-grpc-test-echo-initial" in metadata:
        context.send_initial_metadata((("x-grpc-test-echo-initial", metadata["x-grpc-test-echo-initial"]),))
    if "x-grpc-test-echo-trailing-bin" in metadata:
        context.set_trailing_metadata((("x-grpc-test-echo-trailing-bin", metadata["x-grpc-test-echo-trailing-bin"]),))


def abort_if_asked(request, context):
    if request.response_status.code == 0:
        return
    codes = {code.value[0]: code for code in grpc.StatusCode}
    context.abort(codes[request.response_status.code], request.response_status.message)


class TestService:
    def __init__(self, messages):
        self._messages = messages

    def EmptyCall(self, request, context):
        return self._messages.Empty()

    def UnaryCall(self, request, context):
        if request.HasField("response_compressed"):
            asked = request.response_compressed.value
            context.set_compression(grpc.Compression.Gzip if asked else grpc.Compression.NoCompression)
        echo_metadata(context)
        abort_if_asked(request, context)
        return self._messages.SimpleResponse(payload={"body": bytes(request.response_size)})

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return self._messages.StreamingInputCallResponse(aggregated_payload_size=size)

    def StreamingOutputCall(self, request, context):
        if any(parameters.compressed.value for parameters in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from self._responses(request, context)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for request in requests:
            abort_if_asked(request, context)
            yield from self._responses(request, context)

    def _responses(self, request, context):
        for parameters in request.response_parameters:
            if parameters.HasField("compressed") and not parameters.compressed.value:
                context.disable_next_message_compression()
            yield self._messages.StreamingOutputCallResponse(payload={"body": bytes(parameters.size)})


def handlers(messages):
    service = TestService(messages)
    made = {}
    for name, (request, response, client_streams, server_streams) in METHODS.items():
        behavior = getattr(service, name, None)
        if behavior is None:
            continue
        kind = f"{'stream' if client_streams else 'unary'}_{'stream' if server_streams else 'unary'}"
        made[name] = getattr(grpc, f"{kind}_rpc_method_handler")(
            behavior,
            request_deserializer=getattr(messages, request).FromString,
            response_serializer=getattr(messages, response).SerializeToString,
        )
    return grpc.method_handlers_generic_handler("grpc.testing.TestService", made)


def main():
    parser = argparse.ArgumentParser()
    for name in ("port", "use_tls", "tls_cert_file", "tls_key_file", "descriptors"):
        parser.add_argument("--" + name, default="")
    options = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((handlers(Messages(options.descriptors)),))
    address = "127.0.0.1:" + options.port
    if options.use_tls == "true":
        with open(options.tls_key_file, "rb") as key, open(options.tls_cert_file, "rb") as certificate:
            credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
        server.add_secure_port(address, credentials)
    else:
        server.add_insecure_port(address)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    server.start()
    print(options.port, flush=True)
    server.wait_for_termination()


main()
