import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { HttpError } from "./http.js";

/** How a request proved itself: with the token, or with the cookie a browser sends on its own. */
export type Credential = "token" | "cookie";

/** A new random token: 32 bytes as 64 hex digits. */
export const createToken = (): string => randomBytes(32).toString("hex");

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Equality whose time tells nothing about where two texts differ. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

/** Decides who may talk to the server: token or cookie, this host, this origin. */
export class Guard {
  readonly #token: string;
  readonly #port: number;
  readonly #cookie: string;

  constructor(token: string, port: number) {
    this.#token = token;
    this.#port = port;
    // Not the token itself: who steals the cookie of a browser cannot read the address line's secret from it.
    this.#cookie = createHmac("sha256", token).update("cookie").digest("hex");
  }

  /** Cookies know no ports: the name keeps two servers on one host apart. */
  get cookieName(): string {
    return `clientele-${String(this.#port)}`;
  }

  /** The header that logs a browser in. */
  loginCookie(): string {
    return `${this.cookieName}=${this.#cookie}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** The header that logs a browser out. */
  logoutCookie(): string {
    return `${this.cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
  }

  /** Whether this is the token. */
  isToken(text: string): boolean {
    return sameSecret(text, this.#token);
  }

  /** The valid credential of a request: query or `Authorization: token|Bearer` header first, then the cookie. */
  credential(headers: IncomingHttpHeaders, query: URLSearchParams): Credential | undefined {
    const header = /^(?:token|bearer) +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
    const given = query.get("token") ?? header;
    if (given !== undefined && this.isToken(given)) return "token";
    const cookie = cookies(headers.cookie ?? "").get(this.cookieName);
    return cookie !== undefined && sameSecret(cookie, this.#cookie) ? "cookie" : undefined;
  }

  /**
   * Refuses a foreign Host header: a page whose name was rebound to 127.0.0.1 says its own name here.
   * @throws HttpError 403
   */
  checkHost(headers: IncomingHttpHeaders): void {
    const allowed = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${String(this.#port)}`);
    if (!allowed.includes((headers.host ?? "").toLowerCase())) {
      throw new HttpError(403, `this server answers to ${allowed.join(", ")} only`, "foreign Host header");
    }
  }

  /**
   * Refuses a request that a page of another origin made. Browsers always send Origin with a websocket or a
   * state-changing request; without one, the cookie alone counts only if no browser says the page is foreign.
   * @throws HttpError 403
   */
  checkOrigin(headers: IncomingHttpHeaders, credential: Credential): void {
    const site = headers["sec-fetch-site"];
    const foreign =
      headers.origin === undefined
        ? credential === "cookie" && site !== undefined && site !== "same-origin" && site !== "none"
        : headers.origin.toLowerCase() !== `http://${(headers.host ?? "").toLowerCase()}`;
    if (foreign) throw new HttpError(403, "a page of another origin may not do this", "foreign Origin");
  }

  /**
   * Refuses to hand data to a page of another origin (only the browser knows, and says so in Sec-Fetch-Site).
   * @throws HttpError 403
   */
  checkReader(headers: IncomingHttpHeaders): void {
    const site = headers["sec-fetch-site"];
    if (site === "cross-site" || site === "same-site") {
      throw new HttpError(403, "a page of another origin may not read this", "foreign Origin");
    }
  }
}

function cookies(header: string): Map<string, string> {
  const pairs = header.split(";").map((part): [string, string] => {
    const mark = part.indexOf("=");
    return [part.slice(0, mark).trim(), part.slice(mark + 1).trim()];
  });
  return new Map(pairs);
}
