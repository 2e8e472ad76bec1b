/**
 * Where to listen and what to allow there: addresses, sizes, keepalive, health.
 *
 * @example
 * const server = createServer({ deadlineMs: 30_000 });
 * const health = await addHealth(server);
 * const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
 * health.set("", "SERVING");
 */
export type { Address } from "./address.js";
export { formatAddress, isLoopback, parseAddress } from "./address.js";
export type { ChannelSettings } from "./channel-options.js";
export { channelOptions, silenceGrpcConsole } from "./channel-options.js";
export type { Endpoint } from "./endpoint.js";
export { formatEndpoint, isLocal, parseEndpoint } from "./endpoint.js";
export type { Health } from "./health.js";
export { addHealth } from "./health.js";
export type { BindOptions, ListenRule, ServerSettings } from "./server.js";
export { bindServer, createServer, requireLoopback } from "./server.js";
export { isSocketAnswering } from "./unix-socket.js";
