/**
 * Where a build's `FROM` comes from. There may be no registry, so after the images the cluster has already, two names
 * are made on the spot from Debian's packages: `debian:<suite>` by mmdebstrap, `busybox` from the static busybox.
 */
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { completeName } from './archive.ts'
import type { ImageConfig } from './archive.ts'
import { importImage } from './import.ts'
import { goArchitecture } from './pause.ts'
import type { ContainerdTarget } from './import.ts'
import { buildOciImage } from './oci.ts'
import { command } from './rootfs.ts'

export interface Base { readonly config: ImageConfig }

export interface BaseOptions extends ContainerdTarget { readonly onOutput: (text: string) => void }

/** Fills the empty directory `root` with the base image. Rejects when nobody can bring it, saying what could. */
export async function fillFromBase(reference: string, root: string, options: BaseOptions): Promise<Base> {
  if (reference === 'scratch') return { config: {} }
  const name = completeName(reference)
  const local = await unpackLocal(name, root, options)
  if (local) return local
  const homemade = homemadeName(name)
  if (homemade === undefined) {
    throw new Error(`FROM ${reference}: the cluster has no such image; bring it with "skiff image import", or start from debian:<suite>, busybox or scratch`)
  }
  const kept = await unpackLocal(homemade, root, options)
  if (kept) return kept
  options.onOutput(`making ${reference} from Debian's packages\n`)
  const config = name.includes('/busybox:') ? await makeBusybox(root) : await makeDebian(root, name.slice(name.lastIndexOf(':') + 1))
  await keep(homemade, root, config, options)
  return { config }
}

/** The name under which an image that was made here is kept: never that of the original. */
function homemadeName(name: string): string | undefined {
  const match = /^docker\.io\/library\/(debian|busybox):([\w.-]+)$/.exec(name)
  return match ? `skiff.local/${match[1]}:${match[2]}` : undefined
}

async function makeBusybox(root: string): Promise<ImageConfig> {
  await mkdir(join(root, 'bin'))
  await copyFile('/bin/busybox', join(root, 'bin/busybox')).catch(() => {
    throw new Error('FROM busybox: /bin/busybox is missing; install it with "apt-get install busybox-static"')
  })
  const applets = (await command('/bin/busybox', ['--list'])).split('\n').filter(Boolean)
  for (const applet of applets) if (applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet))
  for (const directory of ['etc', 'root', 'tmp', 'var', 'home']) await mkdir(join(root, directory))
  await command('chmod', ['1777', join(root, 'tmp')])
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n')
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  return { cmd: ['sh'], env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] }
}

async function makeDebian(root: string, tag: string): Promise<ImageConfig> {
  const suite = tag.replace(/-slim$/, '').replace(/^(latest|12)$/, 'bookworm')
  await command('mmdebstrap', ['--variant=minbase', '--quiet', suite, root]).catch((error: Error) => {
    throw new Error(error.message.includes('not installed') ? 'FROM debian: mmdebstrap is missing; install it with "apt-get install mmdebstrap"' : error.message)
  })
  // apt's own lists and caches are made anew by whoever needs them.
  for (const path of ['var/lib/apt/lists', 'var/cache/apt']) {
    for (const name of await readdir(join(root, path)).catch(() => [])) await rm(join(root, path, name), { recursive: true, force: true })
  }
  return { cmd: ['bash'], env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] }
}

async function keep(name: string, root: string, config: ImageConfig, options: BaseOptions): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'skiff-base-'))
  try {
    const output = join(directory, 'image.tar')
    await buildOciImage({ rootfs: root, config, tag: name, output })
    await importImage({ ...options, tar: output })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface OciManifest { readonly config?: { readonly digest: string }; readonly manifests?: readonly { readonly digest: string; readonly platform?: { readonly architecture: string } }[] }

interface OciImageFile {
  readonly config?: { Entrypoint?: string[]; Cmd?: string[]; Env?: string[]; WorkingDir?: string; User?: string; ExposedPorts?: Record<string, object>; Labels?: Record<string, string> }
}

/** Copies the files of an image that containerd has, as containerd itself unpacks them; undefined when it has none of that name. */
async function unpackLocal(name: string, root: string, options: BaseOptions): Promise<Base | undefined> {
  const ctr = (...args: string[]) => command('ctr', ['-a', options.socket, '-n', options.namespace ?? 'k8s.io', ...args])
  const row = (await ctr('images', 'list', `name==${name}`)).trim().split('\n')[1]
  if (row === undefined) return undefined
  const content = async <T>(digest: string): Promise<T> => JSON.parse(await ctr('content', 'get', digest)) as T
  const top = await content<OciManifest>(row.split(/\s+/)[2] as string)
  const chosen = top.manifests?.find((m) => m.platform?.architecture === goArchitecture()) ?? top.manifests?.[0]
  const manifest = chosen ? await content<OciManifest>(chosen.digest) : top
  const image = await content<OciImageFile>(manifest.config?.digest ?? '')
  const place = await mkdtemp(join(tmpdir(), 'skiff-mount-'))
  try {
    await ctr('images', 'mount', name, place)
    await command('cp', ['--archive', `${place}/.`, root])
  } finally {
    await ctr('images', 'unmount', '--rm', place)
    await rm(place, { recursive: true, force: true })
  }
  return { config: configOf(image) }
}

function configOf(image: OciImageFile): ImageConfig {
  const c = image.config ?? {}
  return {
    ...(c.Entrypoint ? { entrypoint: c.Entrypoint } : {}),
    ...(c.Cmd ? { cmd: c.Cmd } : {}),
    ...(c.Env ? { env: c.Env } : {}),
    ...(c.WorkingDir ? { workingDir: c.WorkingDir } : {}),
    ...(c.User ? { user: c.User } : {}),
    ...(c.ExposedPorts ? { exposedPorts: Object.keys(c.ExposedPorts) } : {}),
    ...(c.Labels ? { labels: c.Labels } : {}),
  }
}

