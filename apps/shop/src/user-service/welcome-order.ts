import { type Client, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import type { OrderService } from "../gen/shop/order/v1/order_pb.ts";

/** How long a new user may wait for order-service before the account is confirmed without a first order. */
const maxWaitMs = 1_000;

/**
 * Places the first order of a new user. It never rejects: a user who cannot be given a present yet is still a user.
 *
 * @param remainingMs What is left of the caller's own deadline, if it has one.
 */
export type PlaceWelcomeOrder = (userId: string, remainingMs: number | undefined) => Promise<void>;

/** The first order of a new user. The request id makes one of it, however often and by whichever way it is placed. */
export function welcomeOrder(userId: string) {
  return { userId, items: [{ sku: "welcome-gift", quantity: 1, unitPriceCents: 0n }], requestId: "welcome" };
}

/**
 * Creates the step of CreateUser that asks order-service for a welcome order. Where that fails there is a warning in the log, and order-service
 * places the order when it takes it from the stream of events.
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
 * The deadline of the call to order-service: at most a second, and at most half of what the caller has left, so that an
 * order-service that hangs does not turn a created user into DEADLINE_EXCEEDED. Never 0, which would mean no deadline.
 */
export function welcomeTimeoutMs(remainingMs: number | undefined): number {
  return Math.max(1, Math.min(maxWaitMs, Math.floor((remainingMs ?? Number.POSITIVE_INFINITY) / 2)));
}
