/** Of a server that listens on loopback and keeps what it has in a folder. */
interface Listening {
  /** The path of its configuration. */
  readonly config: string;
  readonly data: string;
  /** `127.0.0.1:9090` */
  readonly address: string;
}

export function prometheusArguments({ config, data, address }: Listening): string[] {
  return [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`];
}

export function alertmanagerArguments({ config, data, address }: Listening): string[] {
  return [
    `--config.file=${config}`,
    `--storage.path=${data}`,
    `--web.listen-address=${address}`,
    // Empty, or it listens on all interfaces for others of its kind.
    "--cluster.listen-address=",
  ];
}
