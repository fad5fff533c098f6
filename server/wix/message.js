const { message, origins } = document.body.dataset;
for (const origin of origins.split(' ').filter(Boolean)) {
  parent.postMessage(JSON.parse(message), origin);
}
