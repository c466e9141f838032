import time
from dataclasses import replace
import pytest
from tests.isolation.harness import World
from tests.world import Servers
def test_w(app, servers):
    w=World(app, Servers(servers.database,servers.broker,servers.template,servers.worker+"m"))
    t=time.time(); w.build(); print("build",time.time()-t)
    t=time.time(); w.restore(); print("restore",time.time()-t)
    t=time.time(); f=w.fingerprint(); print("fp",time.time()-t, f)
    t=time.time(); f=w.fingerprint(); print("fp",time.time()-t)
    for r,fc,p in [("owner","app","/pedidos"),("clerk","app","/productos"),("customer","shop","/carrito"),("rider","partners","/repartidor"),("partner","partners","/v1/assignments"),("anonymous","shop","/p/"+w.shops["espiga"].things["product"])]:
        t=time.time(); a=w.ask(r,fc,"GET",p); print(r,p,a.status_code,a.headers.get("Location"),w.cry(a,"illimani","posada"),w.cry(a,"espiga"),time.time()-t)
    for n,v in w.shops["espiga"].things.items(): print(n,v)
    w.tear_down()
