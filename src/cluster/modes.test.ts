import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkModes } from './modes.ts'
import { pathsOf, type Paths } from './paths.ts'

let paths: Paths
beforeEach(() => {
  paths = pathsOf({ name: 'x', dataDir: mkdtempSync(join(tmpdir(), 'skiff-modes-')) })
  for (const directory of [paths.pki, paths.encryption, paths.store]) mkdirSync(directory, { mode: 0o700 })
  for (const file of [paths.kubeconfig, paths.settings, join(paths.pki, 'ca.key'), join(paths.pki, 'node-two.key')]) writeFileSync(file, 'x', { mode: 0o600 })
})
afterEach(() => rmSync(paths.data, { recursive: true }))

describe('what a cluster keeps', () => {
  it('is used when only its owner can get at it, and when it is not there yet', () => {
    checkModes(paths)
    rmSync(paths.encryption, { recursive: true })
    checkModes(paths)
    checkModes(pathsOf({ name: 'x', dataDir: '/nonexistent/x' }))
  })

  it.each<[string, (p: Paths) => string, number, string]>([
    ['a data directory that others can write', (p) => p.data, 0o777, 'written by others (mode 777); run "chmod go-w'],
    ['settings that others can write', (p) => p.settings, 0o620, 'written by others'],
    ['keys of secrets that others can list', (p) => p.encryption, 0o750, 'read by others (mode 750); run "chmod go='],
    ['certificates that others can list', (p) => p.pki, 0o755, 'read by others'],
    ['a store that others can read', (p) => p.store, 0o755, 'read by others'],
    ['an administrator\'s kubeconfig that others can read', (p) => p.kubeconfig, 0o640, 'read by others'],
    ['a key that others can read, of whichever certificate', (p) => join(p.pki, 'node-two.key'), 0o604, 'read by others'],
  ])('%s is refused', (_, pathOf, mode, message) => {
    chmodSync(pathOf(paths), mode)
    expect(() => checkModes(paths)).toThrow(`${pathOf(paths)} can be ${message}`)
  })

  it.runIf(process.getuid?.() === 0)('is refused when it belongs to somebody else', () => {
    chownSync(paths.store, 65534, 65534)
    expect(() => checkModes(paths)).toThrow(`${paths.store} belongs to user 65534`)
  })
})
