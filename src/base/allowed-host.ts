/** A host, with or without a port, as a request names it. */
const AUTHORITY = /^(\[[\da-f:.]+\]|[^\s:@/\\?#[\]]+)(?::\d*)?$/i;

/**
 * Whether a request may name this host. A page in a browser can make its own name resolve to 127.0.0.1 and so read, as its own, what a server
 * there has (DNS rebinding); but the request then names the page's host. Servers that others can reach have names that only they know.
 * `configured` is what to listen on, `bound` the address that this came to.
 */
export function allowsHost(configured: string, bound: string): (authority: string) => boolean {
  if (!isLoopback(bound)) return () => true;
  const allowed = new Set(["localhost", "127.0.0.1", "[::1]", bracketed(configured), bracketed(bound)]);
  return (authority) => {
    const host = AUTHORITY.exec(authority)?.[1]?.toLowerCase();
    return host !== undefined && allowed.has(host);
  };
}

function isLoopback(address: string): boolean {
  return /^(127\.|::1$|::ffff:127\.)/i.test(address);
}

/** As in a URL. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host.toLowerCase()}]` : host.toLowerCase();
}
