import { createChannel, createClient } from "@tercel/grpc";
import { HelloService } from "./gen/hello/v1/hello_pb.ts";

const channel = createChannel(process.argv[2] ?? "127.0.0.1:50051", { defaultTimeoutMs: 5000 });
const hello = createClient(HelloService, channel);

const { greeting } = await hello.sayHello({ name: "Ada" });
console.log(greeting);
for await (const { number } of hello.countdown({ from: 3 })) console.log(number);
await channel.close();
