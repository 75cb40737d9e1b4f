import type { Client } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import type { OrderService } from "../gen/shop/order/v1/order_pb.ts";
import type { Log } from "../log/json-log.ts";

/** How long a new user may wait for order-service before the account is confirmed without a first order. */
const maxWaitMs = 1_000;

/**
 * Places the first order of a new user. It never throws: a user who cannot be given a present is still a user.
 *
 * @param remainingMs What is left of the caller's own deadline, if it has one.
 */
export type PlaceWelcomeOrder = (userId: string, remainingMs: number | undefined) => Promise<void>;

/** Creates the step of CreateUser that asks order-service for a welcome order, with a warning in the log if it fails. */
export function createWelcomeOrder(orders: Client<typeof OrderService>, log: Log): PlaceWelcomeOrder {
  return async (userId, remainingMs) => {
    const timeoutMs = welcomeTimeoutMs(remainingMs);
    try {
      const order = await orders.createOrder(
        {
          userId,
          items: [{ sku: "welcome-gift", quantity: 1, unitPriceCents: 0n }],
          // With this, a call that is retried on the way cannot become two orders.
          requestId: "welcome",
        },
        { timeoutMs },
      );
      log.info("welcome_order_placed", { userId, orderId: order.id });
    } catch (error) {
      log.warn("welcome_order_failed", { userId, timeoutMs, error: ConnectError.from(error).message });
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
