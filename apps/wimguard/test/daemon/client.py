"""Runs the printed flow with grpcio, from backup.proto alone: client.py TARGET TOKEN DESCRIPTORS SOURCE DESTINATION. Prints JSON."""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

target, token, descriptors, source, destination = sys.argv[1:]
pool = descriptor_pool.DescriptorPool()
with open(descriptors, "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(proto)
service = pool.FindServiceByName("wimguard.v1.BackupService")
metadata = [("authorization", f"Bearer {token}")]


def call(channel, name, **fields):
    method = service.FindMethodByName(name)
    request = message_factory.GetMessageClass(method.input_type)(**fields)
    response = message_factory.GetMessageClass(method.output_type)
    path = f"/wimguard.v1.BackupService/{name}"
    open_call = channel.unary_stream if name == "CreateBackup" else channel.unary_unary
    stub = open_call(path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=response.FromString)
    return stub(request, metadata=metadata, timeout=30)


with grpc.insecure_channel(target) as channel:
    updates = list(call(channel, "CreateBackup", source=source, destination=destination))
    uuid = updates[-1].uuid
    backup = call(channel, "GetBackup", uuid=uuid).backup
    listed = any(one.uuid == uuid for one in call(channel, "ListBackups").backups)
    deleted = call(channel, "DeleteBackup", uuid=uuid).success
    try:
        call(channel, "DeleteBackup", uuid=uuid)
        again = "OK"
    except grpc.RpcError as error:
        again = error.code().name
    print(json.dumps({"first": updates[0].status, "last": updates[-1].status, "bytes": updates[-1].bytes_processed,
                      "status": backup.status, "listed": listed, "deleted": deleted, "again": again}))
