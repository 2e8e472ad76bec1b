import { createHash, timingSafeEqual } from "node:crypto";

/** SHA-256: of one length whatever the secret's, so that a comparison tells not even that. */
export function digestOfSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Whether two secrets are the same, in a time that says nothing about where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digestOfSecret(one), digestOfSecret(other));
}
