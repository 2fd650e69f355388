/** Who may read and write a cluster's files: checked before anything is read. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from './paths.ts'
import { UserError } from './user-error.ts'

const readable = 0o077
const writable = 0o022

/**
 * Throws `UserError`, with the command that fixes it, when others than the owner could read a key or the store, or write to the cluster's
 * directories, or when another user owns them. What does not exist yet will be made with the right modes.
 */
export function checkModes(paths: Pick<Paths, 'data' | 'pki' | 'encryption' | 'store' | 'kubeconfig' | 'settings'>): void {
  check(paths.data, writable)
  check(paths.settings, writable)
  for (const directory of [paths.pki, paths.encryption, paths.store]) check(directory, readable)
  check(paths.kubeconfig, readable)
  checkKeys(paths.pki)
}

/** Throws `UserError` when others than the owner could read a key in the directory: such a key is not secret. */
export function checkKeys(directory: string): void {
  for (const name of namesIn(directory)) if (name.endsWith('.key')) check(join(directory, name), readable)
}

function check(path: string, forbidden: number): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return
  const mode = (found.mode & 0o777).toString(8)
  if (found.uid !== process.getuid?.()) throw new UserError(`${path} belongs to user ${found.uid}; run "chown ${process.getuid?.() ?? 0} ${path}" if you still trust it`)
  if ((found.mode & forbidden) === 0) return
  const [others, fix] = forbidden === writable ? ['written', 'go-w'] : ['read', 'go=']
  throw new UserError(`${path} can be ${others} by others (mode ${mode}); run "chmod ${fix} ${path}" if you still trust it`)
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // not made yet
  }
}
