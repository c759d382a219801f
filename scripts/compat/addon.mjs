// The addon that is tried on other versions of TensorFlow and of Node.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromDist, ROOT } from '../tools/dist.mjs';

/**
 * What is shipped, the prebuilt addon of this machine, where there is one; else what was built here. TF_SESSION_ADDON
 * names another.
 *
 * @returns {Promise<string>} its path
 */
export async function triedAddon() {
  const { addonPath, prebuiltPath } = await fromDist('runtime/addon.js');
  const prebuilt = join(ROOT, prebuiltPath());
  return process.env.TF_SESSION_ADDON || !existsSync(prebuilt) ? addonPath() : prebuilt;
}
