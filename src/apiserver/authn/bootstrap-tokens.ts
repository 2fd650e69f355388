/**
 * Bootstrap tokens: what a new node shows before it has a certificate. `abcdef.0123456789abcdef` is the secret
 * `bootstrap-token-abcdef` in kube-system with these two halves in it.
 */
import { timingSafeEqual } from 'node:crypto'
import { core } from '../../api/index.ts'
import { parseInstant } from '../../machinery/time.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'

const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

/** Who a token is; undefined for what is none that holds. Why not is nobody's business who shows it. */
export function findBootstrapToken(env: Pick<ServerEnvironment, 'lister' | 'clock'>): (token: string) => Identity | undefined {
  const secrets = env.lister(core.secrets)
  return (token) => {
    const [, id, secret] = form.exec(token) ?? []
    if (!id || !secret) return undefined
    const found = secrets.get('kube-system', `bootstrap-token-${id}`)
    return found && identityOf(found, id, secret, env.clock.now())
  }
}

/** Who the token is; undefined when the secret is not this token's, is over, or is not for authentication. */
function identityOf(object: core.Secret, id: string, secret: string, now: number): Identity | undefined {
  const text = (key: string) => Buffer.from(object.data?.[key] ?? '', 'base64').toString('utf8')
  if (object.type !== 'bootstrap.kubernetes.io/token' || object.metadata.deletionTimestamp) return undefined
  if (text('token-id') !== id || !same(text('token-secret'), secret) || text('usage-bootstrap-authentication') !== 'true') return undefined
  const expiration = text('expiration')
  if (expiration !== '' && !isLater(expiration, now)) return undefined
  const groups = text('auth-extra-groups')
  const extra = groups === '' ? [] : groups.split(',')
  if (!extra.every((group) => groupForm.test(group))) return undefined
  return { name: `system:bootstrap:${id}`, groups: [...new Set(['system:bootstrappers', ...extra])].toSorted() }
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

/** An expiration that cannot be read is one that has passed. */
function isLater(expiration: string, now: number): boolean {
  const at = parseInstant(expiration)
  return at !== undefined && at.seconds * 1000 + at.nanos / 1e6 > now
}
