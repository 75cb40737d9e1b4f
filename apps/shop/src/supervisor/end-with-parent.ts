// Loaded into every service that the supervisor starts: when the supervisor has gone, no one else would stop the service.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();
