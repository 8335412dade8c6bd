// Loaded before a server on HTTP (node --import): says on standard error where it listens, for a port that the system chose.
import net from 'node:net';

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...rest) {
  this.once('listening', () => console.error(`listens at http://127.0.0.1:${this.address().port}`));
  return listen.apply(this, rest);
};
