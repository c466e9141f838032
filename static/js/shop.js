// What a shop's page adds when it can. Nothing here is needed to buy: each part may fail alone.
import "./parts/once.js";
import "./parts/autosubmit.js";
import "./parts/stepper.js";
import "./parts/cart.js";
import "./parts/gallery.js";
import "./parts/countdown.js";
import "./parts/dialog.js";
import "./parts/counter.js";
import "./parts/share.js";
import "./parts/upload.js";
import "./parts/locate.js";
import "./parts/passage.js";
