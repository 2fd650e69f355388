/** `skiff image build`: a Dockerfile becomes an image in the cluster, with no registry and no build daemon. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, posix, relative, resolve } from 'node:path'
import type { ImageConfig } from './archive.ts'
import { fillFromBase } from './bases.ts'
import { parseDockerfile, parsePairs, splitWords, substitute } from './dockerfile.ts'
import type { Instruction } from './dockerfile.ts'
import { importImage } from './import.ts'
import type { ContainerdTarget } from './import.ts'
import { buildOciImage } from './oci.ts'
import { copyTree, isDirectory, resolveInside, runInside } from './rootfs.ts'

export interface BuildOptions extends ContainerdTarget {
  readonly context: string
  readonly dockerfile: string
  readonly tag: string
  readonly args: Readonly<Record<string, string>>
  readonly onOutput: (text: string) => void
}

/** One `FROM` and what follows it. */
interface Stage {
  readonly names: readonly string[]
  readonly root: string
  config: ImageConfig
  env: Record<string, string>
  args: Record<string, string>
  shell: readonly string[]
}

interface Build extends BuildOptions { readonly work: string; readonly stages: Stage[]; readonly globals: Record<string, string>; readonly ignore: (path: string) => boolean }

/** Builds the image and imports it; resolves with its full name. Rejects with an error that names the Dockerfile's line. */
export async function buildImage(options: BuildOptions): Promise<string> {
  const instructions = parseDockerfile(await readFile(options.dockerfile, 'utf8'))
  const work = await mkdtemp(join(tmpdir(), 'skiff-build-'))
  const build: Build = { ...options, context: resolve(options.context), work, stages: [], globals: {}, ignore: await ignoreRules(resolve(options.context)) }
  try {
    let step = 0
    for (const instruction of instructions) {
      options.onOutput(`[${++step}/${instructions.length}] ${instruction.name} ${instruction.text}\n`)
      await perform(build, instruction).catch((error: Error) => {
        throw new Error(`Dockerfile line ${instruction.line}: ${error.message}`)
      })
    }
    const last = build.stages.at(-1) as Stage
    const output = join(work, 'image.tar')
    const env = Object.entries(last.env).map(([name, value]) => `${name}=${value}`)
    const name = await buildOciImage({ rootfs: last.root, config: { ...last.config, env }, tag: options.tag, output, createdAt: Date.now() })
    await importImage({ ...options, tar: output })
    return name
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function perform(build: Build, instruction: Instruction): Promise<void> {
  const stage = build.stages.at(-1)
  if (instruction.name === 'FROM') return from(build, instruction)
  if (!stage) {
    if (instruction.name !== 'ARG') throw new Error(`${instruction.name} before FROM`)
    declare(build.globals, instruction, build)
    return
  }
  const variables = { ...stage.args, ...stage.env }
  const text = instruction.name === 'RUN' ? instruction.text : substitute(instruction.text, variables)
  switch (instruction.name) {
    case 'ARG': return declare(stage.args, instruction, build)
    case 'ENV': return void Object.assign(stage.env, Object.fromEntries(parsePairs(text)))
    case 'LABEL': return set(stage, { labels: { ...stage.config.labels, ...Object.fromEntries(parsePairs(text)) } })
    case 'WORKDIR': return workdir(stage, text)
    case 'USER': return set(stage, { user: text })
    case 'EXPOSE': return set(stage, { exposedPorts: [...new Set([...(stage.config.exposedPorts ?? []), ...splitWords(text)])] })
    case 'VOLUME': return set(stage, { volumes: [...(stage.config.volumes ?? []), ...(instruction.words ?? splitWords(text))] })
    case 'STOPSIGNAL': return set(stage, { stopSignal: text })
    case 'SHELL': return void (stage.shell = instruction.words ?? splitWords(text))
    case 'CMD': return set(stage, { cmd: instruction.words ?? [...stage.shell, instruction.text] })
    case 'ENTRYPOINT': return set(stage, { entrypoint: instruction.words ?? [...stage.shell, instruction.text], cmd: [] })
    case 'RUN': return run(build, stage, instruction)
    case 'COPY':
    case 'ADD': return copy(build, stage, instruction, text)
  }
}

const set = (stage: Stage, change: Partial<ImageConfig>): void => void (stage.config = { ...stage.config, ...change })

function declare(scope: Record<string, string>, instruction: Instruction, build: Build): void {
  for (const [name, value] of parsePairs(instruction.text)) scope[name] = build.args[name] ?? (value || build.globals[name] || '')
}

async function from(build: Build, instruction: Instruction): Promise<void> {
  const [reference = '', as, alias] = splitWords(substitute(instruction.text, build.globals))
  if (as !== undefined && as.toLowerCase() !== 'as') throw new Error(`expected "FROM image AS name", got "${instruction.text}"`)
  const root = join(build.work, `root-${build.stages.length}`)
  await mkdir(root)
  const parent = build.stages.find((stage) => stage.names.includes(reference))
  if (parent) await copyTree(parent.root, root)
  const config = parent ? parent.config : (await fillFromBase(reference, root, build)).config
  const env = parent ? { ...parent.env } : Object.fromEntries((config.env ?? []).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  build.stages.push({ names: [String(build.stages.length), ...(alias ? [alias] : [])], root, config, env, args: {}, shell: ['/bin/sh', '-c'] })
}

async function workdir(stage: Stage, text: string): Promise<void> {
  const path = posix.resolve(stage.config.workingDir ?? '/', text)
  await mkdir(await resolveInside(stage.root, path), { recursive: true })
  set(stage, { workingDir: path })
}

async function run(build: Build, stage: Stage, instruction: Instruction): Promise<void> {
  await runInside({
    root: stage.root,
    command: instruction.words ?? [...stage.shell, instruction.text],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', DEBIAN_FRONTEND: 'noninteractive', ...stage.args, ...stage.env },
    workingDir: stage.config.workingDir ?? '/',
    ...(stage.config.user ? { user: stage.config.user } : {}),
    onOutput: build.onOutput,
  })
}

async function copy(build: Build, stage: Stage, instruction: Instruction, text: string): Promise<void> {
  const words = instruction.words?.map((word) => substitute(word, { ...stage.args, ...stage.env })) ?? splitWords(text)
  const to = words.at(-1) as string
  const sources = words.slice(0, -1)
  if (sources.length === 0) throw new Error(`${instruction.name} needs what to copy and where to`)
  if (sources.some((source) => /^https?:\/\//.test(source))) throw new Error('fetching from a URL is not supported; put the file into the context')
  const other = instruction.flags['from']
  const origin = other === undefined ? build.context : build.stages.find((s) => s.names.includes(other))?.root
  if (origin === undefined) throw new Error(`--from=${other}: there is no such stage`)
  const files = (await Promise.all(sources.map((source) => expand(origin, source)))).flat()
  const target = posix.resolve(stage.config.workingDir ?? '/', to)
  const inside = await resolveInside(stage.root, target)
  const many = files.length > 1 || to.endsWith('/') || (await isDirectory(inside))
  const mode = instruction.flags['chmod'] === undefined ? undefined : Number.parseInt(instruction.flags['chmod'], 8)
  const how = { ...ownerOf(instruction.flags['chown']), ...(mode === undefined ? {} : { mode }), ...(other === undefined ? { ignore: build.ignore } : {}) }
  for (const file of files) {
    // Of a folder the content is copied; the folder it goes to is its own.
    const folder = await isDirectory(file)
    const destination = many && !folder ? await resolveInside(stage.root, posix.join(target, basename(file))) : inside
    if (folder) {
      await mkdir(destination, { recursive: true })
      for (const name of await readdir(file)) await copyTree(join(file, name), join(destination, name), how)
    } else await copyTree(file, destination, how)
  }
}

/** `--chown=1000:1000`. Names would have to be looked up in the image: they are refused. */
function ownerOf(flag: string | undefined): { readonly owner?: { readonly uid: number; readonly gid: number } } {
  if (flag === undefined) return {}
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(flag) ?? []
  if (uid === undefined) throw new Error(`--chown=${flag}: give numbers, such as 1000:1000`)
  return { owner: { uid: Number(uid), gid: Number(gid ?? uid) } }
}

/** The files a source names, which must lie inside the context or the other stage. */
async function expand(origin: string, source: string): Promise<string[]> {
  const pattern = posix.normalize(source).replace(/^\/+/, '')
  if (pattern.startsWith('..')) throw new Error(`${source} lies outside the build context`)
  if (!/[*?[]/.test(pattern)) {
    const path = await resolveInside(origin, pattern)
    await lstat(path).catch(() => {
      throw new Error(`${source} is not in the build context`)
    })
    return [path]
  }
  const found = globSync(pattern, { cwd: origin }).map((name) => join(origin, name))
  if (found.length === 0) throw new Error(`nothing in the build context matches ${source}`)
  return found.sort()
}

/** What `.dockerignore` keeps out: globs, the last rule that matches wins, `!` takes back. */
async function ignoreRules(context: string): Promise<(path: string) => boolean> {
  const text = await readFile(join(context, '.dockerignore'), 'utf8').catch(() => '')
  const rules = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  return (path) => {
    const name = relative(context, path)
    let ignored = false
    for (const rule of rules) {
      const pattern = rule.replace(/^!/, '').replace(/^\//, '').replace(/\/$/, '')
      if (posix.matchesGlob(name, pattern) || posix.matchesGlob(name, `${pattern}/**`)) ignored = !rule.startsWith('!')
    }
    return name !== '' && ignored
  }
}
