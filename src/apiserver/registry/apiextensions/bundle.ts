/** Certificates that a webhook's own must be signed by. */
import { X509Certificate } from 'node:crypto'
import type { Place } from '../../../machinery/field.ts'

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/** `bundle`, PEM in base64, has at least one certificate that can be read. */
export function certificateBundle(at: Place, bundle: string): void {
  const blocks = Buffer.from(bundle, 'base64').toString().match(block) ?? []
  const wrong = blocks.map(problemOf)
  if (wrong.includes(undefined)) return
  at.invalid(bundle, `unable to load root certificates: ${wrong[0] ?? 'unable to parse bytes as PEM block'}`)
}

function problemOf(pem: string): string | undefined {
  try {
    return void new X509Certificate(pem)
  } catch (error) {
    return `failed to parse certificate: ${error instanceof Error ? error.message : String(error)}`
  }
}
