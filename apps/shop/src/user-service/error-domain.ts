/** Whose the reasons of this service's errors are (google.rpc.ErrorInfo). */
export const errorDomain = "user-service.shop";
