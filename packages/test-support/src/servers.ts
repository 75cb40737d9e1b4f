export { createEtcdServer, type EtcdServer, withoutEtcd } from "./etcd.ts";
export { findProgram } from "./find-program.ts";
export { freePorts } from "./free-ports.ts";
export { createNatsServer, type NatsServer, withoutNats } from "./nats.ts";
export { createPostgresServer, type PostgresServer, withoutPostgres } from "./postgres.ts";
export { createRedisServer, type RedisServer, withoutRedis } from "./redis.ts";
export { createServerProcess, type ServerCommand, type ServerProcess } from "./server-process.ts";
