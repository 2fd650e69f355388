/** What the host must have, which Debian package provides it, and how to install it. */
import { accessSync, constants, existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { UserError } from './user-error.ts'

export interface Requirement {
  readonly what: string
  readonly debianPackage: string
  readonly present: () => boolean
}

const searchPath = () => [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']

/** The full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const dir of searchPath()) {
    const file = join(dir, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      continue // not in this directory
    }
  }
  return undefined
}

/** Where distributions install CNI plugins. */
const cniPluginDirs = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni']

/** The directory with the plugins that the pod network needs; undefined when there is none. */
export const findCniPlugins = (): string | undefined => cniPluginDirs.find((dir) => ['ptp', 'host-local', 'loopback'].every((plugin) => existsSync(join(dir, plugin))))

const program = (name: string, debianPackage: string): Requirement => ({ what: name, debianPackage, present: () => findProgram(name) !== undefined })

/** What a node needs. `externalRuntime`: somebody else runs containerd. */
export function requirements(options: { readonly externalRuntime: boolean; readonly kubectl: boolean }): Requirement[] {
  return [
    ...(options.externalRuntime ? [] : [program('containerd', 'containerd'), { what: 'runc or crun', debianPackage: 'runc', present: () => ['runc', 'crun'].some((name) => findProgram(name) !== undefined) }]),
    { what: 'CNI plugins', debianPackage: 'containernetworking-plugins', present: () => findCniPlugins() !== undefined },
    program('nft', 'nftables'),
    program('ip', 'iproute2'),
    program('conntrack', 'conntrack'),
    ...(options.kubectl ? [program('kubectl', 'kubernetes-client')] : []),
  ]
}

/** Those of the requirements that the host lacks. */
export const missing = (needed: readonly Requirement[]): Requirement[] => needed.filter((requirement) => !requirement.present())

/** Installs Debian packages. Shows apt's output only when it fails. */
export async function installPackages(names: readonly string[]): Promise<void> {
  if (findProgram('apt-get') === undefined) throw new UserError(`this host has no apt-get; install these by hand: ${names.join(' ')}`)
  const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', ...names])
  const first = await install()
  if (first.code === 0) return
  await run('apt-get', ['update'])
  const second = await install()
  if (second.code !== 0) throw new UserError(`apt-get install ${names.join(' ')} failed: ${second.output.trim().split('\n').at(-1) ?? 'no output'}`)
}

function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer) => void (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
