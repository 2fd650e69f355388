/** Who may ask the kubelet: whoever the API server says may do so with `nodes/proxy` and its like. */
import type { TLSSocket } from 'node:tls'
import { authorization } from '../../api/index.ts'
import type { NodeContext } from '../context.ts'

export interface Caller { readonly user: string; readonly groups: readonly string[] }

/** The identity in a verified client certificate; undefined without one. */
export function callerOf(socket: TLSSocket): Caller | undefined {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  if (!subject?.CN) return undefined
  const organisation = subject.O as string | string[] | undefined
  return { user: ([] as string[]).concat(subject.CN)[0] ?? '', groups: [...([] as string[]).concat(organisation ?? []), 'system:authenticated'] }
}

const allowedFor = 300_000
const deniedFor = 30_000

/** Asks the API server, and remembers what it said for a while. */
export function createAuthorizer({ client, clock, nodeName }: NodeContext): (caller: Caller, method: string, path: string) => Promise<boolean> {
  const known = new Map<string, { allowed: boolean; until: number }>()
  return async (caller, method, path) => {
    // Whoever is in this group is allowed everything everywhere, also while the API server is away.
    if (caller.groups.includes('system:masters')) return true
    const attributes = { verb: method === 'GET' || method === 'HEAD' ? 'get' : method === 'POST' ? 'create' : method.toLowerCase(), subresource: subresourceOf(path) }
    const key = JSON.stringify([caller, attributes])
    const before = known.get(key)
    if (before && before.until > clock.now()) return before.allowed
    const review = await client.create(authorization.subjectaccessreviews, {
      spec: { user: caller.user, groups: caller.groups, resourceAttributes: { ...attributes, group: '', version: 'v1', resource: 'nodes', name: nodeName } },
    })
    const allowed = review.status.allowed
    if (known.size > 1000) known.clear()
    known.set(key, { allowed, until: clock.now() + (allowed ? allowedFor : deniedFor) })
    return allowed
  }
}

function subresourceOf(path: string): string {
  if (path.startsWith('/stats')) return 'stats'
  if (path.startsWith('/metrics')) return 'metrics'
  if (path.startsWith('/logs') || path.startsWith('/containerLogs')) return path.startsWith('/logs') ? 'log' : 'proxy'
  if (path === '/healthz') return 'healthz'
  if (path === '/pods') return 'pods'
  return 'proxy'
}
