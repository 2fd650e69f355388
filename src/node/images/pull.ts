/** Images for containers: present and theirs to use, pulled by policy, or the errors and back-off Kubernetes users know. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { core } from '../../api/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { formatDuration } from '../../machinery/time.ts'
import { podNamespace, podUid, type AnyContainer, type NodeContext } from '../context.ts'
import { createBackoff } from '../pods/backoff.ts'
import { RuntimeError, type Image, type PullAuth } from '../runtime/driver.ts'
import { createImageAccess, type Credential } from './access.ts'
import { completeName } from './archive.ts'

/** Why a container's image is not there: `reason` is the waiting state's. */
export class ImageError extends Error {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'ImageInspectError'
  /** Milliseconds until another try makes sense. */
  readonly retryAfter: number | undefined
  constructor(reason: ImageError['reason'], message: string, retryAfter?: number) {
    super(message)
    this.name = 'ImageError'
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

export interface Images {
  /** Resolves with the image once it is on the node. Rejects with `ImageError`. Records the events of what it does. */
  ensure(pod: core.Pod, container: AnyContainer): Promise<Image>
  /** Drops what is remembered of failed pulls. */
  forgetPod(uid: string): void
  /** Drops what is remembered of images that are gone. */
  prune(): Promise<void>
}

const latestOf = (reference: string): string => (/@|:[^/]+$/.test(reference) ? reference : `${reference}:latest`)

/** Makes images available to containers, with the kubelet's pull policies, back-off and errors. */
export function createImages(context: NodeContext): Images {
  const { runtime, recorder, clock } = context
  const backoff = createBackoff(clock)
  const failures = new Map<string, { message: string; at: number }>()
  const pulling = new Map<string, Promise<string>>()
  const access = createImageAccess(join(context.directories.data, 'image-access.json'), context.log)

  const record = (pod: core.Pod, c: AnyContainer, type: 'Normal' | 'Warning', reason: string, message: string) =>
    recorder.event({ ...pod, fieldPath: c.fieldPath }, type, reason, message)

  /** One pull at a time for an image and the credentials it is asked with. */
  const pull = (reference: string, auth: PullAuth | undefined): Promise<string> => {
    const key = JSON.stringify([reference, auth])
    const running = pulling.get(key) ?? runtime.pull(reference, auth).finally(() => pulling.delete(key))
    pulling.set(key, running)
    return running
  }

  /** The image, and whose credentials it took. */
  const pullWithSecrets = async (pod: core.Pod, reference: string): Promise<{ readonly id: string; readonly image: Image; readonly credential: Credential | undefined }> => {
    const { found, missing } = await pullCredentials(context, pod, reference)
    let last: unknown
    for (const { auth, source } of found.length > 0 ? found : [{ auth: undefined, source: undefined }]) {
      try {
        const id = await pull(reference, auth)
        const image = await runtime.image(id) ?? await runtime.image(reference)
        if (!image) throw new RuntimeError('failed', `image ${reference} is not there after it was pulled`)
        return { id: image.id, image, credential: source }
      } catch (error) {
        last = error
      }
    }
    if (missing.length > 0) recorder.event(pod, 'Warning', 'FailedToRetrieveImagePullSecret', `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`)
    throw last
  }

  const fetch = async (pod: core.Pod, c: AnyContainer, reference: string): Promise<Image> => {
    const name = JSON.stringify(c.container.image)
    const key = `${podUid(pod)}/${reference}`
    const failed = failures.get(key)
    const wait = failed ? backoff.remaining(key, failed.at) : 0
    if (failed && wait > 0) {
      record(pod, c, 'Normal', 'BackOff', `Back-off pulling image ${name}`)
      throw new ImageError('ImagePullBackOff', `Back-off pulling image ${name}: ErrImagePull: ${failed.message}`, wait)
    }
    record(pod, c, 'Normal', 'Pulling', `Pulling image ${name}`)
    const started = clock.now()
    try {
      const { image } = await access.pull(reference, () => pullWithSecrets(pod, reference))
      const took = formatDuration(BigInt(Math.round(clock.now() - started)) * 1_000_000n)
      record(pod, c, 'Normal', 'Pulled', `Successfully pulled image ${name} in ${took} (${took} including waiting). Image size: ${image.size} bytes.`)
      failures.delete(key)
      backoff.forget(key)
      return image
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      failures.set(key, { message, at: clock.now() })
      backoff.next(key, clock.now())
      record(pod, c, 'Warning', 'Failed', `Failed to pull image ${name}: ${message}`)
      throw new ImageError('ErrImagePull', message, Math.min(1000, backoff.delay(key)))
    }
  }

  const inspect = async (pod: core.Pod, c: AnyContainer, reference: string): Promise<Image | undefined> => {
    try {
      return await runtime.image(reference)
    } catch (error) {
      const message = `Failed to inspect image ${JSON.stringify(c.container.image)}: ${error instanceof Error ? error.message : String(error)}`
      record(pod, c, 'Warning', 'InspectFailed', message)
      throw new ImageError('ImageInspectError', message)
    }
  }

  return {
    prune: () => access.prune(async () => (await runtime.images()).map((i) => i.id)),
    async ensure(pod, c) {
      const written = c.container.image ?? ''
      const name = JSON.stringify(written)
      try {
        completeName(written)
      } catch {
        record(pod, c, 'Warning', 'InspectFailed', `Failed to apply default image tag ${name}: couldn't parse image name ${name}: invalid reference format`)
        throw new ImageError('InvalidImageName', `Failed to apply default image tag ${name}: couldn't parse image name ${name}: invalid reference format`)
      }
      const reference = latestOf(written)
      const policy = c.container.imagePullPolicy ?? 'IfNotPresent'
      const present = policy === 'Always' ? undefined : await inspect(pod, c, reference)
      if (present && await access.allows(reference, present.id, async () => (await pullCredentials(context, pod, reference)).found.map((f) => f.source))) {
        record(pod, c, 'Normal', 'Pulled', `Container image ${name} already present on machine and can be accessed by the pod`)
        return present
      }
      // Whether an image is there that the pod may not have is nothing it is told.
      if (policy === 'Never') {
        record(pod, c, 'Warning', 'ErrImageNeverPull', `Container image ${name} is not present with pull policy of Never`)
        throw new ImageError('ErrImageNeverPull', `Container image ${name} is not present with pull policy of Never`)
      }
      return fetch(pod, c, reference)
    },
    forgetPod(uid) {
      backoff.forget(`${uid}/`)
      for (const key of failures.keys()) if (key.startsWith(`${uid}/`)) failures.delete(key)
    },
  }
}

interface DockerAuth { readonly username?: string; readonly password?: string; readonly auth?: string; readonly identitytoken?: string; readonly registrytoken?: string }

interface Found { readonly auth: PullAuth; readonly source: Credential }

/** What the pod's imagePullSecrets say about the image's registry, the longest match first; and those secrets that are not there. */
async function pullCredentials({ client }: NodeContext, pod: core.Pod, reference: string): Promise<{ readonly found: readonly Found[]; readonly missing: readonly string[] }> {
  const found: (Found & { readonly key: string })[] = []
  const missing: string[] = []
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue
    const secret = await client.get(core.secrets, name, { namespace: podNamespace(pod) }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
      missing.push(name)
      return undefined
    })
    for (const [registry, given] of Object.entries(registriesOf(secret))) {
      if (!matchesRegistry(registry, completeName(reference))) continue
      const auth = pullAuth(given)
      const hash = createHash('sha256').update(JSON.stringify(auth)).digest('hex')
      found.push({ key: registry, auth, source: { uid: secret?.metadata.uid ?? '', namespace: podNamespace(pod), name, hash } })
    }
  }
  return { found: found.toSorted((a, b) => b.key.length - a.key.length), missing }
}

function registriesOf(secret: core.Secret | undefined): Readonly<Record<string, DockerAuth>> {
  const modern = secret?.data?.['.dockerconfigjson']
  const old = secret?.data?.['.dockercfg']
  const text = modern ?? old
  if (!text) return {}
  try {
    const parsed = JSON.parse(Buffer.from(text, 'base64').toString()) as { readonly auths?: Record<string, DockerAuth> } & Record<string, DockerAuth>
    return (modern ? parsed.auths : parsed) ?? {}
  } catch {
    return {} // The API server validates these; one that is broken all the same helps nobody's pull.
  }
}

/** A key of a docker configuration against a complete image name: host (with `*` for one label) and an optional path prefix. */
export function matchesRegistry(key: string, image: string): boolean {
  const clean = key.replace(/^https?:\/\//, '').replace(/\/(v1|v2)?\/?$/, '')
  const [host = '', ...path] = (clean === 'index.docker.io' ? 'docker.io' : clean).split('/')
  const [imageHost = '', ...imagePath] = image.split('/')
  const labels = host.split('.')
  const imageLabels = imageHost.split('.')
  const sameHost = labels.length === imageLabels.length && labels.every((l, i) => l === imageLabels[i] || (l.includes('*') && new RegExp(`^${l.replaceAll('*', '[^.]*')}$`).test(imageLabels[i] ?? '')))
  return sameHost && imagePath.join('/').startsWith(path.join('/'))
}

function pullAuth(a: DockerAuth): PullAuth {
  const [username, ...rest] = a.auth ? Buffer.from(a.auth, 'base64').toString().split(':') : []
  return {
    ...(a.username ?? username ? { username: a.username ?? username ?? '' } : {}),
    ...(a.password ?? (rest.length > 0) ? { password: a.password ?? rest.join(':') } : {}),
    ...(a.identitytoken ? { identityToken: a.identitytoken } : {}),
    ...(a.registrytoken ? { registryToken: a.registrytoken } : {}),
  }
}
