"""The test messages, made at run time from a compiled descriptor set: generated modules would be named grpc.testing, and so
hide in the library's own package."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Messages:
    def __init__(self, path):
        with open(path, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
        pool = descriptor_pool.DescriptorPool()
        for file in files:
            pool.Add(file)
        self._pool = pool

    def __getattr__(self, name):
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName("grpc.testing." + name))


# Method name -> request, response, client streams, server streams.
METHODS = {
    "EmptyCall": ("Empty", "Empty", False, False),
    "UnaryCall": ("SimpleRequest", "SimpleResponse", False, False),
    "StreamingInputCall": ("StreamingInputCallRequest", "StreamingInputCallResponse", True, False),
    "StreamingOutputCall": ("StreamingOutputCallRequest", "StreamingOutputCallResponse", False, True),
    "FullDuplexCall": ("StreamingOutputCallRequest", "StreamingOutputCallResponse", True, True),
    "UnimplementedCall": ("Empty", "Empty", False, False),
}
