/** Images into and out of containerd: import of archives, the list, and the sandbox image that a node makes for itself. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { writeImageArchive } from './archive.ts'
import { pauseProgram } from './pause.ts'

export interface ContainerdTarget {
  /** Path of containerd's unix socket. */
  readonly socket: string
  /** The containerd namespace; CRI's is `k8s.io`. */
  readonly namespace?: string
}

export interface ListedImage { readonly name: string; readonly digest: string; readonly size: string; readonly platforms: string }

/** The name under which every node knows its own sandbox image. */
export const sandboxImage = 'skiff.local/pause:1'

/** Imports every image of a docker or OCI archive; resolves with their names. Rejects with what containerd says is wrong with it. */
export async function importImage(options: ContainerdTarget & { readonly tar: string; readonly snapshotter?: string }): Promise<string[]> {
  const local = await takesLocal(options) ? ['--local'] : []
  const args = ['images', 'import', ...local, '--digests=false', ...(options.snapshotter ? ['--snapshotter', options.snapshotter] : []), options.tar]
  const output = await ctr(options, args)
  return [...output.matchAll(/^unpacking (\S+)/gm)].map((m) => m[1] as string)
}

/** Since containerd 2 the import is the daemon's by default, and then nothing is said of what came in: the client is told to do it itself, as it always did before. */
async function takesLocal(options: ContainerdTarget): Promise<boolean> {
  return (await ctr(options, ['images', 'import', '--help'])).includes('--local')
}

/** Every image that has a name, by name. */
export async function listImages(options: ContainerdTarget): Promise<ListedImage[]> {
  const lines = (await ctr(options, ['images', 'list'])).trim().split('\n').slice(1)
  return lines.flatMap((line) => {
    const [name = '', , digest = '', amount = '', unit = '', platforms = ''] = line.split(/\s+/)
    return name === '' || name.startsWith('sha256:') ? [] : [{ name, digest, size: `${amount} ${unit}`, platforms }]
  }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Builds and imports the sandbox image unless it is there already. It is pinned: no garbage collection takes it. */
export async function ensureSandboxImage(options: ContainerdTarget & { readonly snapshotter?: string }): Promise<void> {
  const present = await ctr(options, ['images', 'list', '-q', `name==${sandboxImage}`])
  if (present.trim() === sandboxImage) return
  const directory = await mkdtemp(join(tmpdir(), 'skiff-pause-'))
  try {
    const output = join(directory, 'pause.tar')
    await writeImageArchive({ layers: [{ bytes: await pauseLayer() }], config: { entrypoint: ['/pause'], workingDir: '/' }, tag: sandboxImage, output })
    await importImage({ ...options, tar: output })
    await ctr(options, ['images', 'label', sandboxImage, 'io.cri-containerd.image=managed', 'io.cri-containerd.pinned=pinned'])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function pauseLayer(): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: 'pause', mode: 0o755, mtime: new Date(0) }, pauseProgram())
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** containerd's own command line client: it unpacks what it imports, in every version, which the 1.6 API has no call for. */
function ctr(target: ContainerdTarget, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ctr', ['-a', target.socket, '-n', target.namespace ?? 'k8s.io', ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'ctr is not installed (Debian package containerd)' : stderr.trim().replace(/^ctr: /, '') || error.message
      reject(new Error(why))
    })
  })
}
