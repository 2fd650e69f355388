/** Wrong command lines, through the real program: each is refused in one line that says how to go on, and help names what there is. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const dir = mkdtempSync(join(tmpdir(), 'skiff-cli-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const skiff = (...args: string[]) =>
  new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
  })

it.each([
  [['upp'], 'unknown command \'upp\' (did you mean up?); run "skiff --help"'],
  [['up', '--nmae', 'x'], 'unknown option \'--nmae\' (did you mean --name?); run "skiff up --help"'],
  [['up', '--port', '0'], 'option \'--port <port>\' argument \'0\' is invalid: a port is a number from 1 to 65535; run "skiff up --help"'],
  [['status', '-o', 'yaml'], 'option \'-o, --output <format>\' argument \'yaml\' is invalid: allowed choices are text, json; run "skiff status --help"'],
  [['logs', '--tail', '1e2'], 'option \'--tail <lines>\' argument \'1e2\' is invalid: it takes a whole number of lines; run "skiff logs --help"'],
  [['image', 'build', '.'], 'required option \'-t, --tag <reference>\' not specified; run "skiff image build --help"'],
  [['down', 'x'], 'too many arguments for \'down\': expected 0 arguments but got 1; run "skiff down --help"'],
  [['kubeconfig', '--path', '--for-node', 'x'], 'option \'--path\' cannot be used with option \'--for-node <name>\'; run "skiff kubeconfig --help"'],
  [['status', '--name', 'A b'], '"A b" cannot be a cluster\'s name: use lower-case letters, digits and "-", at most 40'],
  [['status', '--name', 'none', '--data-dir', dir], `there is no cluster "none" in ${dir}; create it with "skiff up"`],
  [['logs', '--name', 'none', '--data-dir', dir], `there is no log of cluster "none" in ${dir}/skiff.log; start the cluster with "skiff up"`],
  [['apiserver'], '"skiff apiserver" needs --memory; for a control plane that keeps its data, run "skiff server --no-node"'],
])('%j: is refused in one line', async (args, message) => {
  expect(await skiff(...args)).toEqual({ code: 1, stdout: '', stderr: `skiff: ${message}\n` })
})

it('says where settings are that cannot be read, and which port a cluster has', async () => {
  const settings = join(dir, 'cluster.json')
  writeFileSync(settings, '{')
  expect((await skiff('status', '--data-dir', dir)).stderr).toBe(`skiff: ${settings} is damaged; restore it, or remove ${dir} to start anew\n`)
  writeFileSync(settings, JSON.stringify({ name: 'skiff', port: 6443 }))
  expect((await skiff('status', '--data-dir', dir, '--port', '7000')).stderr).toBe('skiff: cluster "skiff" has port 6443, not 7000; leave out --port, or give the --name of the other cluster\n')
})

it('says which port is taken, and nothing else', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await skiff('apiserver', '--memory', '--port', String(port))).toEqual({ code: 1, stdout: '', stderr: `skiff: port ${port} is in use; stop what listens there, or choose another with --port\n` })
  server.close()
})

it('has help for every command, and says so when none is given', async () => {
  const { code, stderr } = await skiff()
  expect(code).toBe(1)
  const commands = [...stderr.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name as string)
  expect(commands).toEqual(expect.arrayContaining(['up', 'down', 'status', 'server', 'agent', 'image', 'secrets']))
  for (const command of commands.filter((name) => name !== 'help')) {
    expect((await skiff(command, '--help')).stdout).toMatch(new RegExp(`^Usage: skiff ${command} `))
  }
})
