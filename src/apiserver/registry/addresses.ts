/** Addresses that mean something else on every host: nobody may have traffic sent there by writing them into an endpoint. */
import type { Path } from '../../machinery/field.ts'
import type { Check } from './checks.ts'

const special: readonly (readonly [RegExp, string])[] = [
  [/^0\.0\.0\.0$|^[0:]+$/, 'may not be unspecified (0.0.0.0 or ::)'],
  [/^(::ffff:)?127\.|^::1$/i, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(::ffff:)?169\.254\.|^fe[89ab][0-9a-f]:/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^224\.0\.0\.|^ff02:/i, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** Kubernetes's rule for the addresses of endpoints. */
export function* ordinaryAddress(at: Path, address: string): Check {
  for (const [form, why] of special) if (form.test(address)) yield at.invalid(address, why)
}

/** The server's own endpoints, in `default`: a cluster that lives on loopback alone has it there. */
export const isOwnEndpoint = ({ metadata }: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes'
