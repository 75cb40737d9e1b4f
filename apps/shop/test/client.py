"""Runs calls against the shop with grpcio and nothing but a descriptor set: takes them as JSON from standard input, prints each method that did as it should."""

import itertools
import json
import sys
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

work = json.load(sys.stdin)
files = descriptor_pb2.FileDescriptorSet()
with open(work["image"], "rb") as image:
    files.ParseFromString(image.read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)

saved = {}
numbers = itertools.count()
channels = {name: grpc.insecure_channel(address) for name, address in work["addresses"].items()}
metadata = [("authorization", work["authorization"])]


def filled(value):
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str):
        return saved[value[1:]] if value.startswith("$") else value.replace("%", str(next(numbers)))
    return value


def at(value, path):
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return str(value).lower() if isinstance(value, bool) else str(value)


def responses_to(step):
    method = pool.FindServiceByName(step["service"]).FindMethodByName(step["method"])
    request_class = message_factory.GetMessageClass(method.input_type)
    response_class = message_factory.GetMessageClass(method.output_type)
    shape = ("stream" if method.client_streaming else "unary") + "_" + ("stream" if method.server_streaming else "unary")
    stub = getattr(channels[step["service"]], shape)(
        f"/{step['service']}/{step['method']}",
        request_serializer=request_class.SerializeToString,
        response_deserializer=response_class.FromString,
    )
    requests = [json_format.ParseDict(filled(request), request_class()) for request in step["requests"]]
    answer = stub(iter(requests) if method.client_streaming else requests[0], metadata=metadata, timeout=20)
    for message in answer if method.server_streaming else [answer]:
        yield json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def responses_until(step):
    while True:
        responses = list(responses_to(step))
        if all(at(responses[-1], path) == value for path, value in step.get("until", {}).items()):
            return responses


def followed(step, before):
    first = []
    has_come = threading.Event()

    def read():
        first.append(next(responses_to(step)))
        has_come.set()

    threading.Thread(target=read, daemon=True).start()
    while not has_come.is_set():
        list(responses_to(before))
    return first


before = None
for step in work["steps"]:
    responses = followed(step, before) if step.get("isFollowed") else responses_until(step)
    for path, expected in step.get("expect", {}).items():
        found = at(responses[-1], path)
        assert found == filled(expected), f"{step['method']}: {path} is {found}: {responses[-1]}"
    for name, path in step.get("save", {}).items():
        saved[name] = at(responses[-1], path)
    print(f"{step['service']}/{step['method']}", flush=True)
    before = step
