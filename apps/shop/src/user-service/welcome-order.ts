import { type Client, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import type { OrderService } from "../gen/shop/order/v1/order_pb.ts";

/** The maximum time that a new user waits for order-service. */
const maxWaitMs = 1_000;

/**
 * Places the first order of a new user. It never rejects, because the user exists without the order.
 *
 * @param remainingMs The remaining time of the caller's deadline, if it has one.
 */
export type PlaceWelcomeOrder = (userId: string, remainingMs: number | undefined) => Promise<void>;

/** The first order of a new user. With its request id it is placed once, even if it is requested several times, by calls and events. */
export function welcomeOrder(userId: string) {
  return { userId, items: [{ sku: "welcome-gift", quantity: 1, unitPriceCents: 0n }], requestId: "welcome" };
}

/**
 * Creates the step of CreateUser that places the welcome order. If it fails, it logs a warning, and order-service
 * places the order when it gets it from the event stream.
 */
export function createWelcomeOrder(orders: Client<typeof OrderService>, log: Log): PlaceWelcomeOrder {
  return async (userId, remainingMs) => {
    const timeoutMs = welcomeTimeoutMs(remainingMs);
    try {
      const order = await orders.createOrder(welcomeOrder(userId), { timeoutMs });
      log.info("welcome order placed", { userId, orderId: order.id });
    } catch (error) {
      log.warn("welcome order failed; it will be placed later", {
        userId,
        timeoutMs,
        error: ConnectError.from(error).message,
      });
    }
  };
}

/**
 * Returns the timeout of the call to order-service: at most a second, and at most half of the caller's remaining time, so that a
 * hanging order-service does not fail the creation with DEADLINE_EXCEEDED. It is never 0, which would mean no deadline.
 */
export function welcomeTimeoutMs(remainingMs: number | undefined): number {
  return Math.max(1, Math.min(maxWaitMs, Math.floor((remainingMs ?? Number.POSITIVE_INFINITY) / 2)));
}
