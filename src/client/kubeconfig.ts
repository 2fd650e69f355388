/** Reads a kubeconfig file: which server, which authority, which credentials. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import type { HttpsClientOptions } from './https.ts'

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Finds the entry of a kubeconfig list (`clusters`, `users`, `contexts`) by its name. */
function named(config: Fields, list: string, part: string, name: string): Fields {
  const entries = Array.isArray(config[list]) ? (config[list] as unknown[]).map(fields) : []
  const entry = entries.find((e) => e.name === name)
  if (!entry) throw new Error(`kubeconfig: ${part} "${name}" does not exist`)
  return fields(entry[part])
}

/** The PEM text of a `<name>-data` (base64) or `<name>` (path) pair. */
async function pem(from: Fields, name: string, folder: string): Promise<string | undefined> {
  const data = text(from[`${name}-data`])
  const path = text(from[name])
  const pem = data ? Buffer.from(data, 'base64').toString('utf8') : path ? await readFile(resolve(folder, path), 'utf8') : undefined
  if (pem !== undefined && !pem.includes('-----BEGIN ')) throw new Error(`kubeconfig: ${name} holds no PEM data`)
  return pem
}

/** What a user shows; of another type it would be taken for nothing, and the user for nobody. */
const credentials = ['token', 'tokenFile', 'client-certificate', 'client-certificate-data', 'client-key', 'client-key-data'] as const

/** Throws an `Error` of one line: more would quote what is in the file, and there are credentials in it. */
function read(yaml: string): unknown {
  const document = parseDocument(yaml, { logLevel: 'error' })
  const [problem] = document.errors
  if (problem) throw new Error(`kubeconfig: ${problem.message.split('\n', 1)[0]?.replace(/:$/, '')}`)
  return document.toJS()
}

/** What a user shows, by certificate or token. Throws for what is of a wrong type or cannot be used; `of` names the user. */
async function shownBy(user: Fields, folder: string, of: string): Promise<Pick<HttpsClientOptions, 'cert' | 'key'> & { readonly token: string | undefined }> {
  if (user.exec || user['auth-provider']) throw new Error(`kubeconfig: ${of} uses a credential plugin, which is not supported; use a certificate or a token`)
  for (const field of credentials) if (user[field] !== undefined && user[field] !== null && typeof user[field] !== 'string') throw new Error(`kubeconfig: ${field} of ${of} must be a text`)
  const tokenFile = text(user.tokenFile)
  const token = text(user.token) ?? (tokenFile ? (await readFile(resolve(folder, tokenFile), 'utf8')).trim() : undefined)
  return { cert: await pem(user, 'client-certificate', folder), key: await pem(user, 'client-key', folder), token }
}

/** The users of a kubeconfig by their names, and the one of its current context. Paths are relative to `folder`. */
export async function parseUsers(yaml: string, folder: string): Promise<{ readonly users: ReadonlyMap<string, Awaited<ReturnType<typeof shownBy>>>; readonly current: Awaited<ReturnType<typeof shownBy>> | undefined }> {
  const config = fields(read(yaml))
  const entries = Array.isArray(config.users) ? (config.users as unknown[]).map(fields) : []
  const users = new Map<string, Awaited<ReturnType<typeof shownBy>>>()
  for (const { name, user } of entries) if (typeof name === 'string') users.set(name, await shownBy(fields(user), folder, `user "${name}"`))
  const context = text(config['current-context'])
  return { users, current: context === undefined ? undefined : users.get(text(named(config, 'contexts', 'context', context).user) ?? '') }
}

/** What a context of a kubeconfig text says, as options of `createHttpsClient`. Paths are relative to `folder`. */
export async function parseKubeconfig(yaml: string, options: { readonly context?: string; readonly folder?: string } = {}): Promise<HttpsClientOptions & { readonly namespace: string }> {
  const config = fields(read(yaml))
  const folder = options.folder ?? '.'
  const name = options.context ?? text(config['current-context'])
  if (!name) throw new Error('kubeconfig: no current-context is set and none was asked for')
  const context = named(config, 'contexts', 'context', name)
  const cluster = named(config, 'clusters', 'cluster', text(context.cluster) ?? '')
  const user = context.user ? named(config, 'users', 'user', text(context.user) ?? '') : {}
  const server = text(cluster.server)
  if (!server) throw new Error(`kubeconfig: cluster of context "${name}" has no server`)
  return {
    server,
    ca: await pem(cluster, 'certificate-authority', folder),
    ...(await shownBy(user, folder, `the user of context "${name}"`)),
    servername: text(cluster['tls-server-name']),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    namespace: text(context.namespace) ?? 'default',
  }
}

/** Reads a kubeconfig: the path given, `$KUBECONFIG`'s first existing file's place, or `~/.kube/config`. */
export async function loadKubeconfig(options: { readonly path?: string; readonly context?: string } = {}): Promise<HttpsClientOptions & { readonly namespace: string }> {
  const path = options.path ?? process.env.KUBECONFIG?.split(':').find((p) => p !== '') ?? join(homedir(), '.kube', 'config')
  return parseKubeconfig(await readFile(path, 'utf8'), { ...(options.context ? { context: options.context } : {}), folder: dirname(path) })
}

/** What a pod's service account gives: `/var/run/secrets/kubernetes.io/serviceaccount` and the service's environment. */
export async function inClusterConfig(folder = '/var/run/secrets/kubernetes.io/serviceaccount'): Promise<HttpsClientOptions & { readonly namespace: string }> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
  if (!host || !port) throw new Error('not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set')
  const read = (name: string) => readFile(join(folder, name), 'utf8')
  // The token is renewed on disk while the pod runs: it is read for each call.
  const token = async () => (await read('token')).trim()
  const [ca, namespace] = await Promise.all([read('ca.crt'), read('namespace'), token()])
  return { server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, ca, token, namespace: namespace.trim() }
}
