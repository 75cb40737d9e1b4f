import { runService } from "@tercel/service";
import { orderService } from "./service.ts";

process.umask(0o077); // only this user may read the data
await runService(orderService);
