/**
 * Bootstrap tokens: what a new node shows before it has a certificate. `abcdef.0123456789abcdef` is the secret
 * `bootstrap-token-abcdef` in kube-system with these two halves in it.
 */
import { timingSafeEqual } from 'node:crypto'
import { core } from '../../api/index.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'

const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

/** Who a token is; undefined for what is no bootstrap token; throws for one that does not hold. */
export function findBootstrapToken(env: Pick<ServerEnvironment, 'lister' | 'clock'>): (token: string) => Identity | undefined {
  const secrets = env.lister(core.secrets)
  return (token) => {
    const [, id, secret] = form.exec(token) ?? []
    if (!id || !secret) return undefined
    const found = secrets.get('kube-system', `bootstrap-token-${id}`)
    const identity = found && identityOf(found, id, secret, env.clock.now())
    if (!identity) throw new Error('the bootstrap token is not known, or over')
    return identity
  }
}

/** Who the token is; undefined when the secret is not this token's, is over, or is not for authentication. */
function identityOf(object: core.Secret, id: string, secret: string, now: number): Identity | undefined {
  const text = (key: string) => Buffer.from(object.data?.[key] ?? '', 'base64').toString('utf8')
  if (object.type !== 'bootstrap.kubernetes.io/token' || object.metadata.deletionTimestamp) return undefined
  if (text('token-id') !== id || !same(text('token-secret'), secret) || text('usage-bootstrap-authentication') !== 'true') return undefined
  const expiration = text('expiration')
  // An expiration that cannot be read is one that has passed.
  if (expiration !== '' && !(Date.parse(expiration) > now)) return undefined
  const extra = text('auth-extra-groups').split(',').map((g) => g.trim()).filter((g) => g !== '')
  if (!extra.every((group) => groupForm.test(group))) return undefined
  return { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra] }
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}
