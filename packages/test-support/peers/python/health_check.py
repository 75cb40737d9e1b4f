"""Calls grpc.health.v1.Health/Check once with grpcio and prints the status code and serving status as a line of JSON."""

import argparse
import json

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

parser = argparse.ArgumentParser()
parser.add_argument("--target", required=True)
parser.add_argument("--ca", help="a PEM file of the certificate authority to trust; cleartext without it")
parser.add_argument("--authority", help="the :authority and the name to verify; the target's without it")
parser.add_argument("--timeout", type=float, default=10.0, help="the call's deadline in seconds")
arguments = parser.parse_args()

options = [("grpc.default_authority", arguments.authority)] if arguments.authority else []
if arguments.authority:
    options.append(("grpc.ssl_target_name_override", arguments.authority.split(":")[0]))
if arguments.ca:
    with open(arguments.ca, "rb") as file:
        channel = grpc.secure_channel(arguments.target, grpc.ssl_channel_credentials(file.read()), options)
else:
    channel = grpc.insecure_channel(arguments.target, options)
with channel:
    try:
        response = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=arguments.timeout)
        serving = health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)
        print(json.dumps({"code": "OK", "message": "", "serving": serving}))
    except grpc.RpcError as error:
        print(json.dumps({"code": error.code().name, "message": error.details(), "serving": "UNKNOWN"}))
