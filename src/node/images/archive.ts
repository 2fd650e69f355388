/** Image archives: an OCI layout in one tar file that `docker load`, `ctr images import` and Skiff read alike. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { goArchitecture } from './pause.ts'

/** What the image says about the containers made of it. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env?: readonly string[]
  readonly workingDir?: string
  readonly user?: string
  /** `8080/tcp` */
  readonly exposedPorts?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly stopSignal?: string
}

/** An uncompressed tar file with what a layer adds. */
export type Layer = { readonly file: string } | { readonly bytes: Uint8Array }

export interface ArchiveOptions {
  readonly layers: readonly Layer[]
  readonly config: ImageConfig
  /** `flask-hello:1.0`; names are completed as containerd and Docker do: `docker.io/library/flask-hello:1.0`. */
  readonly tag: string
  /** The tar file to write. */
  readonly output: string
  readonly architecture?: string
  /** Milliseconds since the epoch; the same input then gives the same bytes. */
  readonly createdAt?: number
}

/** Writes the archive and resolves with the image's full name and the digest of its configuration. */
export async function writeImageArchive(options: ArchiveOptions): Promise<{ readonly name: string; readonly id: string; readonly size: number }> {
  const name = completeName(options.tag)
  const layers = await Promise.all(options.layers.map(async (layer) => ({ layer, ...(await measure(layer)) })))
  const config = Buffer.from(JSON.stringify(configFile(options, layers.map((l) => l.digest))))
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...described(config) },
    layers: layers.map((l) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: l.digest, size: l.size })),
  }))
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      ...described(manifest),
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tagOf(name) },
      platform: { os: 'linux', architecture: options.architecture ?? goArchitecture() },
    }],
  }
  const dockerManifest = [{ Config: blobPath(described(config).digest), RepoTags: [name], Layers: layers.map((l) => blobPath(l.digest)) }]

  const tar = pack()
  const written = pipeline(tar, createWriteStream(options.output))
  const json = (file: string, value: unknown) => entry(tar, { name: file }, Buffer.from(JSON.stringify(value)))
  const seen = new Set<string>()
  try {
    await json('oci-layout', { imageLayoutVersion: '1.0.0' })
    await json('index.json', index)
    await json('manifest.json', dockerManifest)
    for (const blob of [manifest, config]) await entry(tar, { name: blobPath(described(blob).digest) }, blob)
    for (const { layer, digest, size } of layers) {
      if (seen.has(digest)) continue
      seen.add(digest)
      await entry(tar, { name: blobPath(digest), size }, layer)
    }
    tar.finalize()
  } catch (error) {
    tar.destroy(error as Error)
  }
  await written
  return { name, id: described(config).digest, size: layers.reduce((sum, l) => sum + l.size, 0) }
}

const tagOf = (name: string) => name.slice(name.lastIndexOf(':') + 1)
const blobPath = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`
const described = (bytes: Uint8Array) => ({ digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length })

async function measure(layer: Layer): Promise<{ digest: string; size: number }> {
  if ('bytes' in layer) return described(layer.bytes)
  const hash = createHash('sha256')
  await pipeline(createReadStream(layer.file, { highWaterMark: 1 << 20 }), hash)
  return { digest: `sha256:${hash.digest('hex')}`, size: (await stat(layer.file)).size }
}

function configFile(options: ArchiveOptions, diffIds: readonly string[]): object {
  const c = options.config
  const created = new Date(options.createdAt ?? 0).toISOString()
  const keys = (names?: readonly string[]) => (names?.length ? Object.fromEntries(names.map((n) => [n, {}])) : undefined)
  return {
    created,
    architecture: options.architecture ?? goArchitecture(),
    os: 'linux',
    config: {
      User: c.user || undefined,
      ExposedPorts: keys(c.exposedPorts?.map((p) => (p.includes('/') ? p : `${p}/tcp`))),
      Env: c.env?.length ? c.env : ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: c.entrypoint?.length ? c.entrypoint : undefined,
      Cmd: c.cmd?.length ? c.cmd : undefined,
      Volumes: keys(c.volumes),
      WorkingDir: c.workingDir || undefined,
      Labels: c.labels && Object.keys(c.labels).length > 0 ? c.labels : undefined,
      StopSignal: c.stopSignal || undefined,
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created, created_by: 'skiff image build' })),
  }
}

/** Writes one file into the archive, with fixed times and owners so that the bytes depend on the content alone. */
async function entry(tar: ReturnType<typeof pack>, header: { readonly name: string; readonly size?: number }, content: Uint8Array | Layer): Promise<void> {
  const fixed = { mtime: new Date(0), mode: 0o644, uid: 0, gid: 0, ...header }
  if (content instanceof Uint8Array || 'bytes' in content) {
    const bytes = content instanceof Uint8Array ? content : content.bytes
    await new Promise<void>((resolve, reject) => { tar.entry(fixed, Buffer.from(bytes), (error) => (error ? reject(error) : resolve())) })
    return
  }
  await pipeline(createReadStream(content.file, { highWaterMark: 1 << 20 }), tar.entry(fixed))
}

/** A reference with its registry, `library/` and `latest` filled in, as every container tool reads short names. Throws for what is no image name. */
export function completeName(reference: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$/.test(reference) || /[/:]$/.test(reference)) throw new Error(`"${reference}" is not an image name`)
  const [path = '', digest] = reference.split('@') as [string, string?]
  const first = path.split('/')[0] as string
  const hasRegistry = path.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  const full = hasRegistry ? path : `docker.io/${path.includes('/') ? path : `library/${path}`}`
  if (digest) return `${full}@${digest}`
  const repository = full.slice(full.lastIndexOf('/') + 1)
  if (/[A-Z]/.test(full.slice(0, full.length - repository.length) + repository.split(':')[0])) throw new Error(`"${reference}" is not an image name: repositories are lower case`)
  return repository.includes(':') ? full : `${full}:latest`
}
