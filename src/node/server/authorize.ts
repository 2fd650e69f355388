/** Who may ask the kubelet: whoever the API server knows, by certificate or token, and says may do so with `nodes/proxy` and its like. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { authentication, authorization } from '../../api/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { ApiError } from '../../machinery/errors.ts'
import type { NodeContext } from '../context.ts'

export interface Caller {
  readonly user: string
  readonly groups: readonly string[]
  readonly uid?: string
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** The identity in a verified client certificate; undefined without one, and when it has run out since the connection was made. */
function callerOf(socket: TLSSocket, now: number): Caller | undefined {
  if (!socket.authorized) return undefined
  const { subject, valid_to: end, fingerprint256 } = socket.getPeerCertificate()
  if (!subject || Date.parse(end) < now) return undefined
  const all = (name: string) => ([] as string[]).concat((subject as unknown as Record<string, string | string[] | undefined>)[name] ?? [])
  // Of several names the last counts, as it does for the API server: a certificate must not be two people.
  const user = all('CN').at(-1)
  const [uid, ...otherUids] = all(uidAttribute)
  if (!user || uid === '' || otherUids.length > 0) return undefined
  const credential = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`
  return { user, groups: [...all('O'), 'system:authenticated'], ...(uid === undefined ? {} : { uid }), extra: { 'authentication.kubernetes.io/credential-id': [credential] } }
}

/** Kubernetes's own attribute of a subject, for the uid of a user. */
const uidAttribute = '1.3.6.1.4.1.57683.2'

const knownFor = 120_000
const unknownFor = 10_000
const allowedFor = 300_000
const deniedFor = 30_000

/** Answers that hold for a while. */
function memory<T>(clock: Clock) {
  const known = new Map<string, { readonly answer: T; readonly until: number }>()
  return {
    get(key: string): { readonly answer: T } | undefined {
      const found = known.get(key)
      return found && found.until > clock.now() ? found : undefined
    },
    set(key: string, answer: T, ms: number): T {
      if (known.size > 1000) known.clear()
      known.set(key, { answer, until: clock.now() + ms })
      return answer
    },
  }
}

/** Who makes a request: by its certificate, or by a bearer token that the API server knows (monitoring shows those). Undefined: nobody. */
export function createAuthenticator({ client, clock }: Pick<NodeContext, 'client' | 'clock'>): (request: IncomingMessage) => Promise<Caller | undefined> {
  const known = memory<Caller | undefined>(clock)
  return async (request) => {
    const caller = callerOf(request.socket as TLSSocket, clock.now())
    const token = caller ? undefined : /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (!token) return caller
    const key = createHash('sha256').update(token).digest('base64')
    const before = known.get(key)
    if (before) return before.answer
    const { status } = await client.create(authentication.tokenreviews, { spec: { token } })
    const { username, groups = [], uid, extra } = status.user
    if (!status.authenticated || !username) return known.set(key, undefined, unknownFor)
    return known.set(key, { user: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra: extra as Caller['extra'] } : {}) } as Caller, knownFor)
  }
}

const verbs: Readonly<Record<string, string>> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
/** Running something takes the right to create, whichever method the protocol uses. */
const running = /^\/(exec|attach|portForward|run)\//

/** What a request is to the authorizer: the verb, and the subresources of the node of which one is enough, the first asked first. */
function attributesOf(method: string, path: string): { readonly verb: string; readonly subresources: readonly string[] } {
  return { verb: running.test(path) ? 'create' : (verbs[method] ?? method.toLowerCase()), subresources: subresourcesOf(path) }
}

/** Asks the API server, and remembers what it said for a while. Resolves undefined when the caller may, else with why not. Throws `ApiError` 500 when nobody can tell. */
export function createAuthorizer({ client, clock, nodeName }: Pick<NodeContext, 'client' | 'clock' | 'nodeName'>): (caller: Caller, method: string, path: string) => Promise<string | undefined> {
  const known = memory<boolean>(clock)
  const ask = async ({ user, groups, uid, extra }: Caller, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user, uid, groups, extra, verb, subresource])
    const before = known.get(key)
    if (before) return before.answer
    const { status } = await client.create(authorization.subjectaccessreviews, {
      spec: { user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}), resourceAttributes: { verb, subresource, group: '', version: 'v1', resource: 'nodes', name: nodeName } },
    }).catch((error: unknown) => {
      throw Object.assign(new ApiError(500, 'InternalError', `Authorization error (user=${user}, verb=${verb}, resource=nodes, subresource=${subresource})`), { cause: error })
    })
    return known.set(key, status.allowed, status.allowed ? allowedFor : deniedFor)
  }
  return async (caller, method, path) => {
    // Whoever is in this group is allowed everything everywhere, also while the API server is away.
    if (caller.groups.includes('system:masters')) return undefined
    const { verb, subresources } = attributesOf(method, path)
    for (const subresource of subresources) if (await ask(caller, verb, subresource)) return undefined
    return `Forbidden (user=${caller.user}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])\n`
  }
}

/** What has always had a subresource of its own. */
const own: ReadonlyMap<string, string> = new Map([['stats', 'stats'], ['metrics', 'metrics'], ['logs', 'log'], ['checkpoint', 'checkpoint']])
/** Subresources that came later, for what `proxy` stood for before, and still does. */
const fine: ReadonlyMap<string, string> = new Map([['pods', 'pods'], ['runningpods', 'pods'], ['healthz', 'healthz'], ['configz', 'configz']])

function subresourcesOf(path: string): readonly string[] {
  const [, first = ''] = path.split('/')
  const only = own.get(first)
  if (only !== undefined) return [only]
  const later = fine.get(first)
  return later === undefined ? ['proxy'] : [later, 'proxy']
}
