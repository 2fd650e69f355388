/** Bootstrap tokens, as the controllers see them: secrets of one type in kube-system. */
import type { core } from '../../api/index.ts'
import { parseInstant } from '../../machinery/time.ts'

/** Where the tokens are, for an informer. */
export const tokensOnly = { fieldSelector: 'type=bootstrap.kubernetes.io/token' } as const
/** Whether the secret is a bootstrap token. */
export const isToken = ({ metadata, type }: core.Secret): boolean => metadata.namespace === 'kube-system' && type === 'bootstrap.kubernetes.io/token'

/** The text of a part of the token; '' when it has none. */
export const textOf = ({ data }: core.Secret, key: string): string => Buffer.from(data?.[key] ?? '', 'base64').toString('utf8')

/** Milliseconds until the token ends, at most 0 when it has, or when nobody can read when it does; undefined for one that stays. */
export function timeLeft(secret: core.Secret, now: number): number | undefined {
  const expiration = textOf(secret, 'expiration')
  if (expiration === '') return undefined
  const at = parseInstant(expiration)
  return at ? Math.max(0, at.seconds * 1000 + at.nanos / 1e6 - now) : 0
}
