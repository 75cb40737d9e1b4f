import { runService } from "../service/run-service.ts";
import { startOrderService } from "./start-order-service.ts";

await runService({ name: "order-service", portSetting: "orderPort", start: startOrderService });
