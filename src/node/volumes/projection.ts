/** What ConfigMap, Secret, downward API and projected volumes show: computed files, not yet written. */
import { core, authentication } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import type { Logger } from '../../machinery/log.ts'
import { parseTime } from '../../machinery/time.ts'
import { podName, podNamespace, podUid } from '../context.ts'
import { fieldValue, resourceValue, type Addresses } from '../pods/field-ref.ts'
import type { FileProjection } from './atomic-writer.ts'

export type Files = Map<string, FileProjection>

export interface ProjectionSources {
  readonly client: Client
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  allocatable(): Readonly<Record<string, string>> | undefined
  addresses(pod: core.Pod): Addresses
}

type Reference = { readonly name?: string | undefined; readonly items?: readonly core.KeyToPath[] | undefined; readonly optional?: boolean | undefined }

/** Throws with Kubernetes's message when the object or one of its keys is not there. */
export async function configMapFiles(sources: ProjectionSources, pod: core.Pod, ref: Reference, mode: number): Promise<Files> {
  const map = await optional(ref, () => sources.client.get(core.configmaps, ref.name ?? '', { namespace: podNamespace(pod) }), `configmap "${ref.name}" not found`)
  const data = new Map<string, Buffer>()
  for (const [key, text] of Object.entries(map?.data ?? {})) data.set(key, Buffer.from(text))
  for (const [key, base64] of Object.entries(map?.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'))
  return chosen(data, ref, mode, 'configmap', map !== undefined)
}

/** A Secret's files. Throws with Kubernetes's message when the Secret or one of its keys is missing. */
export async function secretFiles(sources: ProjectionSources, pod: core.Pod, ref: Reference, mode: number): Promise<Files> {
  const secret = await optional(ref, () => sources.client.get(core.secrets, ref.name ?? '', { namespace: podNamespace(pod) }), `secret "${ref.name}" not found`)
  const data = new Map(Object.entries(secret?.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]))
  return chosen(data, ref, mode, 'secret', secret !== undefined)
}

async function optional<T>(ref: Reference, get: () => Promise<T>, missing: string): Promise<T | undefined> {
  try {
    return await get()
  } catch (error) {
    if (!isNotFound(error)) throw error
    if (ref.optional) return undefined
    throw new Error(missing, { cause: error })
  }
}

function chosen(data: ReadonlyMap<string, Buffer>, ref: Reference, mode: number, kind: string, exists: boolean): Files {
  if (!ref.items?.length) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]))
  const files: Files = new Map()
  for (const item of ref.items) {
    const bytes = data.get(item.key)
    if (bytes) files.set(item.path, { data: bytes, mode: item.mode ?? mode })
    else if (exists && !ref.optional) throw new Error(`${kind} references non-existent ${kind === 'configmap' ? 'config' : 'secret'} key: ${item.key}`)
  }
  return files
}

/** The files of a downward API volume. */
export function downwardFiles(sources: ProjectionSources, pod: core.Pod, items: readonly core.DownwardAPIVolumeFile[] | undefined, mode: number): Files {
  const files: Files = new Map()
  for (const item of items ?? []) files.set(item.path, { data: Buffer.from(downwardText(sources, pod, item)), mode: item.mode ?? mode })
  return files
}

function downwardText(sources: ProjectionSources, pod: core.Pod, item: core.DownwardAPIVolumeFile): string {
  if (item.fieldRef) return fieldValue(pod, item.fieldRef.fieldPath, sources.addresses(pod))
  const ref = item.resourceFieldRef
  if (!ref) return ''
  const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === ref.containerName)
  if (!container) throw new Error(`container ${ref.containerName} not found`)
  return resourceValue(container, ref, sources.allocatable())
}

interface Token { readonly text: string; readonly issuedAt: number; readonly expiresAt: number }

/**
 * Service account tokens of pods: asked for once, and again when four fifths of their time (or a day) have passed, or when the clock was set back to before
 * they were made. One that cannot be renewed is used as long as it holds.
 */
export function createTokens(sources: ProjectionSources) {
  const tokens = new Map<string, Token>()
  const isStale = (t: Token) => {
    const now = sources.clock.now()
    return now > t.issuedAt + (t.expiresAt - t.issuedAt) * 0.8 || now > t.issuedAt + 24 * 3_600_000 || now < t.issuedAt
  }
  const ask = async (pod: core.Pod, projection: core.ServiceAccountTokenProjection): Promise<Token> => {
    const account = pod.spec.serviceAccountName || 'default'
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: projection.audience ? [projection.audience] : [],
        expirationSeconds: projection.expirationSeconds ?? 3600,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: podName(pod), uid: podUid(pod) },
      },
    }
    const answer = await sources.client.createSubresource<unknown, authentication.TokenRequest>(core.serviceaccounts, account, 'token', request, { namespace: podNamespace(pod) })
    const expires = answer.status.expirationTimestamp
    return { text: answer.status.token, issuedAt: sources.clock.now(), expiresAt: expires ? parseTime(expires) : sources.clock.now() + 3_600_000 }
  }
  return {
    async get(pod: core.Pod, projection: core.ServiceAccountTokenProjection): Promise<string> {
      const key = [podUid(pod), projection.audience ?? '', projection.expirationSeconds ?? 3600].join('\0')
      const known = tokens.get(key)
      if (known && !isStale(known)) return known.text
      try {
        const token = await ask(pod, projection)
        tokens.set(key, token)
        return token.text
      } catch (error) {
        if (!known || known.expiresAt < sources.clock.now()) throw error
        sources.log.warn({ pod: `${podNamespace(pod)}/${podName(pod)}`, error: String(error) }, 'could not renew a token of a pod, which goes on with the old one')
        return known.text
      }
    },
    forget(uid: string) { for (const key of tokens.keys()) if (key.startsWith(`${uid}\0`)) tokens.delete(key) },
  }
}

export type Tokens = ReturnType<typeof createTokens>

/** All sources of a projected volume in one set of files; later sources win over earlier ones with the same path. */
export async function projectedFiles(sources: ProjectionSources, tokens: Tokens, pod: core.Pod, volume: core.ProjectedVolumeSource): Promise<Files> {
  const mode = volume.defaultMode ?? 0o644
  const files: Files = new Map()
  for (const source of volume.sources ?? []) for (const [path, file] of await filesOf(sources, tokens, pod, source, mode)) files.set(path, file)
  return files
}

async function filesOf(sources: ProjectionSources, tokens: Tokens, pod: core.Pod, source: core.VolumeProjection, mode: number): Promise<Files> {
  if (source.configMap) return configMapFiles(sources, pod, source.configMap, mode)
  if (source.secret) return secretFiles(sources, pod, source.secret, mode)
  if (source.downwardAPI) return downwardFiles(sources, pod, source.downwardAPI.items, mode)
  if (source.serviceAccountToken) {
    const user = soleUser(pod)
    const isPrivate = user !== undefined || pod.spec.securityContext?.fsGroup !== undefined
    const data = Buffer.from(await tokens.get(pod, source.serviceAccountToken))
    return new Map([[source.serviceAccountToken.path, { data, mode: isPrivate ? 0o600 : mode, ...(user === undefined ? {} : { uid: user }) }]])
  }
  if (source.clusterTrustBundle) throw new Error('projected clusterTrustBundle volumes are not supported by this node')
  throw new Error('a projected volume source of this kind is not supported by this node')
}

/** The user that every container runs as, if it is one and the same. */
function soleUser(pod: core.Pod): number | undefined {
  const users = new Set([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((c) => c.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser))
  return users.size === 1 ? [...users][0] : undefined
}
