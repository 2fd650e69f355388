/** `skiff image`: build, import and list what the cluster's containers are made from. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseDockerfile } from '../node/images/dockerfile.ts'
import { buildImage } from '../node/images/build.ts'
import { importImage, listImages } from '../node/images/import.ts'
import { findProgram } from '../cluster/requirements.ts'
import type { Requirement } from '../cluster/requirements.ts'
import { UserError } from '../cluster/user-error.ts'
import { existing, needRoot } from './options.ts'
import type { ClusterOptions } from './options.ts'
import { provide } from './provide.ts'
import { runtimeSocket } from '../cluster/runtime.ts'

/** The containerd of the cluster, which must be up. */
function target(options: ClusterOptions): { readonly socket: string } {
  const { paths, settings } = existing(options)
  const socket = runtimeSocket(paths, settings)
  if (!existsSync(socket)) throw new UserError(`cluster "${options.name}" is not up; run "skiff up" first`)
  return { socket }
}

export interface BuildOptions extends ClusterOptions {
  readonly tag: string
  readonly file?: string
  readonly buildArg?: readonly string[]
}

/** `skiff image build` */
export async function build(context: string, options: BuildOptions): Promise<void> {
  needRoot('image build')
  if (!existsSync(context) || !statSync(context).isDirectory()) throw new UserError(`${context} is not a directory; give the one that holds the Dockerfile and what it copies`)
  const dockerfile = options.file ?? join(context, 'Dockerfile')
  if (!existsSync(dockerfile)) throw new UserError(`there is no ${dockerfile}; name another with --file`)
  const containerd = target(options)
  await explained(async () => {
    await provide(toolsFor(readFileSync(dockerfile, 'utf8')), { yes: false })
    const args = Object.fromEntries((options.buildArg ?? []).map((pair) => [pair.split('=')[0] as string, pair.slice(pair.indexOf('=') + 1)]))
    const name = await buildImage({ ...containerd, context, dockerfile, tag: options.tag, args, onOutput: (text) => void process.stdout.write(text) })
    console.log(`built ${name}`)
  })
}

/** What base images that are made on the spot need of the host. */
function toolsFor(dockerfile: string): Requirement[] {
  const bases = parseDockerfile(dockerfile).filter((instruction) => instruction.name === 'FROM').map((instruction) => instruction.text)
  return [
    ...(bases.some((base) => base.startsWith('debian')) ? [{ what: 'mmdebstrap', debianPackage: 'mmdebstrap', present: () => findProgram('mmdebstrap') !== undefined }] : []),
    ...(bases.some((base) => base.startsWith('busybox')) ? [{ what: 'a static busybox', debianPackage: 'busybox-static', present: () => existsSync('/bin/busybox') }] : []),
  ]
}

/** `skiff image import` */
export async function importArchive(archive: string, options: ClusterOptions): Promise<void> {
  needRoot('image import')
  if (!existsSync(archive)) throw new UserError(`there is no ${archive}; give the path of an archive that "docker save" or skopeo wrote`)
  const containerd = target(options)
  await explained(async () => {
    const names = await importImage({ ...containerd, tar: archive })
    if (names.length === 0) throw new UserError(`${archive} holds no image that has a name`)
    for (const name of names) console.log(`imported ${name}`)
  })
}

/** `skiff image list` */
export async function list(options: ClusterOptions): Promise<void> {
  needRoot('image list')
  const images = await listImages(target(options))
  const width = Math.max(5, ...images.map((image) => image.name.length))
  console.log(`${'IMAGE'.padEnd(width)}  ${'DIGEST'.padEnd(19)}  SIZE`)
  for (const image of images) console.log(`${image.name.padEnd(width)}  ${image.digest.slice(0, 19)}  ${image.size}`)
}

/** Turns every failure into a `UserError`: what goes wrong with an image is for the user to mend. */
async function explained(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw error instanceof UserError ? error : new UserError((error as Error).message)
  }
}
