import type { NextConfig } from "next";

export default {
  // One copy for the whole process, beside the bundles, and with it the SDK that it loads.
  serverExternalPackages: ["queuescope"],
} satisfies NextConfig;
