/** What a cluster leaves on its host when its processes are gone: mounts and cgroups. Both are found by name and removed. */
import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'

/** Unmounts everything at or under the directories, the deepest first. */
export function unmountUnder(directories: readonly string[]): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
    .map((line) => unescape(line.split(' ')[4] as string))
    .filter((point) => directories.some((directory) => point === directory || point.startsWith(`${directory}/`)))
  for (const point of points.reverse()) spawnSync('umount', ['--lazy', point])
}

/** The kernel writes spaces and other special characters in octal. */
const unescape = (text: string) => text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** This cgroup's directory in each mounted hierarchy (one with version 2, several with version 1). */
function cgroupDirectories(cgroup: string): string[] {
  const roots = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => unescape(line.split(' ')[4] as string))
  return [...new Set(roots)].map((root) => join(root, cgroup)).filter((directory) => existsSync(directory))
}

/** Kills the processes still in the cgroup, and removes it with everything below it. */
export async function removeCgroup(cgroup: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const directories = cgroupDirectories(cgroup)
    if (directories.length === 0) return
    for (const directory of directories) {
      for (const pid of processesIn(directory)) tryKill(pid)
      removeEmpty(directory)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function processesIn(directory: string): number[] {
  const own = readLines(join(directory, 'cgroup.procs')).map(Number)
  return [...own, ...children(directory).flatMap(processesIn)]
}

const children = (directory: string): string[] => {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name))
  } catch {
    return [] // it went away meanwhile
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return [] // it went away meanwhile
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

function removeEmpty(directory: string): void {
  for (const child of children(directory)) removeEmpty(child)
  try {
    rmdirSync(directory)
  } catch {
    // A process is still exiting; the next attempt removes it.
  }
}

/** The pids of the shims that hold containers of the containerd at this socket. */
export function shimsOf(socket: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    const words = readCommand(pid)
    return (words[0] ?? '').includes('containerd-shim') && words[words.indexOf('-address') + 1] === socket
  })
}

function readCommand(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // it ended meanwhile
  }
}
