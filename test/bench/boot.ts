/** From `skiff up` to a Ready node: the first boot (certificates are made, images imported) and the next ones; memory when idle. */
import { readFileSync, readdirSync } from 'node:fs'
import { prepareCluster } from '../support/cluster.ts'

const cluster = prepareCluster('bench-boot')
const seconds = async (work: () => Promise<{ code: number; stdout: string; stderr: string }>) => {
  const started = performance.now()
  const finished = await work()
  if (finished.code !== 0) throw new Error(`${finished.stdout}${finished.stderr}`)
  return { seconds: (performance.now() - started) / 1000, steps: finished.stdout }
}

/** Resident memory of Skiff and of containerd, in MB. */
function memory(): { skiff: number; containerd: number } {
  const pid = (file: string) => Number(readFileSync(`/run/skiff/${cluster.name}/${file}`, 'utf8').trim().split(' ')[0])
  const rss = (id: number) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) / 1024
  const shims = readdirSync('/proc').filter((id) => /^\d+$/.test(id)).filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(`/run/skiff/${cluster.name}/`) && readFileSync(`/proc/${id}/comm`, 'utf8').startsWith('containerd')
    } catch {
      return false
    }
  })
  return { skiff: Math.round(rss(pid('skiff.pid'))), containerd: Math.round(shims.reduce((sum, id) => sum + rss(Number(id)), 0)) }
}

try {
  const first = await seconds(() => cluster.up())
  console.log(`first boot            ${first.seconds.toFixed(2)} s\n${first.steps.split('\n').filter((line) => line.includes('ms')).join('\n')}`)
  for (let i = 0; i < 3; i++) {
    await cluster.skiff('down')
    const again = await seconds(() => cluster.up())
    console.log(`boot after down       ${again.seconds.toFixed(2)} s`)
  }
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  const used = memory()
  console.log(`idle for 10 s         ${used.skiff} MB Skiff, ${used.containerd} MB containerd`)
} finally {
  await cluster.destroy()
}
