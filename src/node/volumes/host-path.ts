/** hostPath volumes: what must be there, or is made, by the volume's type. */
import { mkdir, stat, writeFile } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import type { core } from '../../api/index.ts'

const checks: Readonly<Record<string, { readonly is: (s: Stats) => boolean; readonly what: string }>> = {
  Directory: { is: (s) => s.isDirectory(), what: 'directory' },
  File: { is: (s) => s.isFile(), what: 'file' },
  Socket: { is: (s) => s.isSocket(), what: 'socket file' },
  CharDevice: { is: (s) => s.isCharacterDevice(), what: 'character device' },
  BlockDevice: { is: (s) => s.isBlockDevice(), what: 'block device' },
}

/** Resolves with the path once its type fits. Throws in Kubernetes's words when it does not. */
export async function hostPath(volume: core.HostPathVolumeSource): Promise<string> {
  const { path, type = '' } = volume
  if (type === '') return path
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (type === 'DirectoryOrCreate' && !info) await mkdir(path, { recursive: true, mode: 0o755 })
  else if (type === 'FileOrCreate' && !info) await createFile(path)
  else {
    const check = checks[type.replace('OrCreate', '')]
    if (check && !(info && check.is(info))) throw new Error(`hostPath type check failed: ${path} is not a ${check.what}`)
  }
  return path
}

async function createFile(path: string): Promise<void> {
  await stat(dirname(path)).catch((error: unknown) => { throw new Error(`hostPath type check failed: ${path} is not a file`, { cause: error }) })
  await writeFile(path, '', { mode: 0o644, flag: 'a' })
}
