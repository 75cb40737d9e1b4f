"""Serves grpc.health.v1.Health over TLS on a free port of 127.0.0.1 with grpcio. Prints the port, then a line for each call, as JSON."""

import argparse
import json
from concurrent import futures

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

parser = argparse.ArgumentParser()
parser.add_argument("--cert", required=True, help="a PEM file of the certificate")
parser.add_argument("--key", required=True, help="a PEM file of its private key")
arguments = parser.parse_args()


class Health(health_pb2_grpc.HealthServicer):
    def Check(self, request, context):
        print(json.dumps({"method": "Check"}), flush=True)
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


with open(arguments.cert, "rb") as cert, open(arguments.key, "rb") as key:
    credentials = grpc.ssl_server_credentials([(key.read(), cert.read())])
server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
port = server.add_secure_port("127.0.0.1:0", credentials)
server.start()
print(json.dumps({"port": port}), flush=True)
server.wait_for_termination()
